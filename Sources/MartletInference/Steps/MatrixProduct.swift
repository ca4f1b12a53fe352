import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

/// A stack of matrices as a factor of a product.
struct MatrixOperand {
    /// The matrices in memory.
    let view: TensorView
    /// Whether rows and columns must be exchanged first: on the left for `[terms, rows]`, on the right for
    /// `[terms, columns]`.
    let isTransposed: Bool
}

/// Fully connected layers and other products of matrices: `factor L R^T + addend`, then an activation.
///
/// Every element is a dot product of a row on the left with a row on the right, summed in an order that only their length
/// decides. A row of the result, which is an image in a fully connected layer, therefore does not depend on the others.
struct MatrixProduct: Step {
    /// Offsets, in matrices, of factors and result.
    struct Pair: Equatable {
        let left, right, result: Int
    }

    /// What is added to the product.
    struct Addend {
        let values: UnsafePointer<Float>
        let rowStride, columnStride: Int
        let factor: Float
    }

    let left: MatrixOperand
    let right: MatrixOperand
    /// The right factor's rows in half precision, to read in their place.
    var halves: UnsafePointer<Float16>?
    let y: UnsafeMutablePointer<Float>
    let rows: Int
    let columns: Int
    let terms: Int
    let pairs: [Pair]
    var factor: Float = 1
    var addend: Addend?
    var activation: Activation?
    let kernels: KernelSet

    /// The part of the result that one task computes: few enough columns to share, few enough rows to stay in the cache
    /// while the columns' weights pass by.
    private static let blockColumns = 32
    private static let blockRows = 32

    var algorithm: String { halves == nil ? "" : "half precision" }

    private var leftScratch: Int { left.isTransposed ? left.view.shape.elementCount : 0 }
    private var rightScratch: Int { right.isTransposed ? right.view.shape.elementCount : 0 }

    var sharedBytes: Int { (leftScratch + rightScratch) * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let a = rowsInMemory(left, rows: rows, into: context.sharedFloats, context)
        let b = rowsInMemory(right, rows: columns, into: context.sharedFloats + leftScratch, context)
        let columnBlocks = (columns + MatrixProduct.blockColumns - 1) / MatrixProduct.blockColumns
        let rowBlocks = (rows + MatrixProduct.blockRows - 1) / MatrixProduct.blockRows
        context.pool.forEach(pairs.count * columnBlocks * rowBlocks) { index in
            let (rest, rowBlock) = index.quotientAndRemainder(dividingBy: rowBlocks)
            let (pair, columnBlock) = rest.quotientAndRemainder(dividingBy: columnBlocks)
            let firstRow = rowBlock * MatrixProduct.blockRows
            let firstColumn = columnBlock * MatrixProduct.blockColumns
            multiply(
                a + pairs[pair].left * rows * terms, b + pairs[pair].right * columns * terms,
                into: y + pairs[pair].result * rows * columns,
                rows: firstRow..<min(rows, firstRow + MatrixProduct.blockRows),
                columns: firstColumn..<min(columns, firstColumn + MatrixProduct.blockColumns))
        }
    }

    private func multiply(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
        rows: Range<Int>, columns: Range<Int>
    ) {
        if let halves {
            // One matrix on the right; `b` is not read.
            for row in rows {
                kernels.halfDotProducts(
                    left: a + row * terms, right: halves + columns.lowerBound * terms, rightCount: columns.count,
                    length: terms, results: y + row * self.columns + columns.lowerBound, step: 1)
            }
        } else {
            products(a, b, into: y, rows: rows, columns: columns)
        }
        for row in rows {
            let result = y + row * self.columns
            if factor != 1 { for column in columns { result[column] *= factor } }
            if let addend {
                let values = addend.values + row * addend.rowStride
                for column in columns { result[column] += addend.factor * values[column * addend.columnStride] }
            }
            activation?.apply(
                UnsafePointer(result + columns.lowerBound), into: result + columns.lowerBound, count: columns.count)
        }
    }

    private func products(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
        rows: Range<Int>, columns: Range<Int>
    ) {
        kernels.dotProducts(
            left: a + rows.lowerBound * terms, leftCount: rows.count, leftStride: terms,
            right: b + columns.lowerBound * terms, rightCount: columns.count, rightStride: terms, length: terms,
            results: y + rows.lowerBound * self.columns + columns.lowerBound, leftStep: self.columns, rightStep: 1)
    }

    /// The matrices of a factor with the products' terms along their rows.
    private func rowsInMemory(
        _ operand: MatrixOperand, rows: Int, into scratch: UnsafeMutablePointer<Float>, _ context: StepContext
    ) -> UnsafePointer<Float> {
        let size = rows * terms
        if !operand.isTransposed || size == 0 { return operand.view.floats }
        let float = MemoryLayout<Float>.stride
        context.pool.forEach(operand.view.shape.elementCount / size) { matrix in
            copyStrided(
                rank: 2, extents: [rows, terms], source: operand.view.floats + matrix * size,
                sourceStrides: [float, rows * float], target: scratch + matrix * size,
                targetStrides: [terms * float, float], elementBytes: float)
        }
        return UnsafePointer(scratch)
    }

    /// The pairs of matrices of stacks broadcast to each other; type inference has seen to it that they do.
    static func pairs(left: [Int], right: [Int]) -> [Pair] {
        let rank = max(left.count, right.count)
        let left = [Int](repeating: 1, count: rank - left.count) + left
        let right = [Int](repeating: 1, count: rank - right.count) + right
        var pairs = [Pair(left: 0, right: 0, result: 0)]
        for axis in 0..<rank {
            let extent = left[axis] == 1 ? right[axis] : left[axis]
            pairs = pairs.flatMap { pair in
                (0..<extent).map {
                    Pair(
                        left: pair.left * left[axis] + (left[axis] == 1 ? 0 : $0),
                        right: pair.right * right[axis] + (right[axis] == 1 ? 0 : $0),
                        result: pair.result * extent + $0)
                }
            }
        }
        return pairs
    }
}
