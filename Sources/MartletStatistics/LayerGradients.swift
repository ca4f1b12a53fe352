import MartletLinearAlgebra
import MartletTensors

/// Sums over the gradients at one layer: of `g g^T` at its output, and of the squares of each weight's.
public struct LayerGradients: Sendable {
    /// `T`, the number of outputs.
    public let outputs: Int
    /// The number of weights to an output, `S h w` of one group.
    public let patchSize: Int
    /// The number of gradients `g` added: images times draws times places of the map.
    public internal(set) var count: Int
    /// The lower triangle of the sum of `g g^T`, row by row: `[T (T + 1) / 2]`.
    var products: Tensor
    /// The sum of the squares of each weight's gradient on one image: `[T, S h w]`.
    var squares: Tensor

    /// No gradients yet.
    /// - Throws: `TensorError` if the sums do not fit into memory.
    public init(outputs: Int, patchSize: Int) throws {
        self.outputs = outputs
        self.patchSize = patchSize
        count = 0
        let shapes = try LayerGradients.shapes(outputs: outputs, patchSize: patchSize)
        products = try Tensor(zeros: shapes.products, elementType: .float64)
        squares = try Tensor(zeros: shapes.squares, elementType: .float64)
    }

    init(count: Int, products: Tensor, squares: Tensor) {
        outputs = squares.shape[0]
        patchSize = squares.shape[1]
        self.count = count
        self.products = products
        self.squares = squares
    }

    static func shapes(outputs: Int, patchSize: Int) throws -> (products: Shape, squares: Shape) {
        (
            try Shape([CheckedArithmetic.product([outputs, outputs + 1]) / 2]), try Shape([outputs, patchSize])
        )
    }

    /// Adds `count` gradients, given the whole sum of their `g g^T` `[T, T]`, row by row.
    public mutating func add(products sum: UnsafePointer<Float>, count: Int) throws {
        let size = outputs
        try products.withMutableElements(of: Double.self) { products in
            var index = 0
            for row in 0..<size {
                for column in 0...row {
                    products[index] += Double(sum[row * size + column])
                    index += 1
                }
            }
        }
        self.count += count
    }

    /// Adds the square of one image's gradient of the weights, `[T, S h w]`, or `[S h w, T]` if `isTransposed`.
    public mutating func add(weights gradient: UnsafePointer<Float>, isTransposed: Bool) throws {
        let (outputs, patchSize) = (outputs, patchSize)
        try squares.withMutableElements(of: Double.self) { squares in
            for row in 0..<outputs {
                for column in 0..<patchSize {
                    let value = Double(gradient[isTransposed ? column * outputs + row : row * patchSize + column])
                    squares[row * patchSize + column] += value * value
                }
            }
        }
    }

    /// Adds the sums of other images at the same layer.
    /// - Throws: ``StatisticsError/cannotMerge(reason:)`` for another layer.
    mutating func add(_ other: LayerGradients) throws {
        guard outputs == other.outputs, patchSize == other.patchSize else {
            throw StatisticsError.cannotMerge(reason: "a layer has weights of different shapes")
        }
        try products.add(other.products)
        try squares.add(other.squares)
        let (sum, overflows) = count.addingReportingOverflow(other.count)
        if overflows { throw StatisticsError.cannotMerge(reason: "the gradients are too many to count") }
        count = sum
    }

    /// `Lambda = E[g g^T]` over all places of all images, `[T, T]`.
    public func outputMoment() -> Matrix {
        let scale = 1 / Double(max(count, 1))
        return products.withElements(of: Double.self) { products in
            var result = Matrix(rows: outputs, columns: outputs)
            var index = 0
            for row in 0..<outputs {
                for column in 0...row {
                    result[row, column] = products[index] * scale
                    result[column, row] = products[index] * scale
                    index += 1
                }
            }
            return result
        }
    }

    /// The Fisher information of each weight but for a factor, `sum (dL / dW)^2` over the images, `[T, S h w]`.
    public func fisherInformation() throws -> Matrix {
        try squares.withElements(of: Double.self) {
            try Matrix(rows: outputs, columns: patchSize, elements: Array($0))
        }
    }
}
