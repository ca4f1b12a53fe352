/// A dense matrix in double precision, row-major.
public struct Matrix: Equatable, Sendable {
    /// The number of rows.
    public let rows: Int
    /// The number of columns.
    public let columns: Int
    /// The elements, row after row.
    public internal(set) var elements: [Double]

    /// A matrix from its elements, row after row.
    /// - Throws: ``LinearAlgebraError`` if they are not `rows * columns`, or an extent is one BLAS cannot count.
    public init(rows: Int, columns: Int, elements: [Double]) throws(LinearAlgebraError) {
        guard (0...BLAS.maximumExtent).contains(rows), (0...BLAS.maximumExtent).contains(columns) else {
            throw .unsupportedExtent(operation: "matrix", shape: [rows, columns])
        }
        guard elements.count == rows * columns else {
            throw .dimensionMismatch(operation: "matrix", shapes: [[rows, columns], [elements.count]])
        }
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    /// A matrix of one value. The extents must lie in `0 ... BLAS.maximumExtent`.
    public init(rows: Int, columns: Int, repeating value: Double = 0) {
        precondition((0...BLAS.maximumExtent).contains(rows) && (0...BLAS.maximumExtent).contains(columns))
        self.rows = rows
        self.columns = columns
        self.elements = [Double](repeating: value, count: rows * columns)
    }

    /// A matrix whose elements `initialize` writes, all of them, into uninitialised memory.
    init(rows: Int, columns: Int, initializingWith initialize: (UnsafeMutablePointer<Double>) -> Void) {
        self.rows = rows
        self.columns = columns
        self.elements = [Double](unsafeUninitializedCapacity: rows * columns) { buffer, count in
            // Even an empty matrix lends a pointer, so that callers need no case of their own.
            if let base = buffer.baseAddress { initialize(base) }
            count = rows * columns
        }
    }

    /// The identity.
    public static func identity(_ order: Int) -> Matrix {
        var result = Matrix(rows: order, columns: order)
        for index in 0..<order { result.elements[index * order + index] = 1 }
        return result
    }

    /// The element in row `i`, column `j`. For single elements; loops go over ``elements``.
    public subscript(i: Int, j: Int) -> Double {
        get {
            precondition((0..<rows).contains(i) && (0..<columns).contains(j))
            return elements[i * columns + j]
        }
        set {
            precondition((0..<rows).contains(i) && (0..<columns).contains(j))
            elements[i * columns + j] = newValue
        }
    }

    /// Calls `body` with the elements, row after row, to write to.
    public mutating func withMutableElements<Result>(
        _ body: (UnsafeMutableBufferPointer<Double>) throws -> Result
    ) rethrows -> Result {
        try elements.withUnsafeMutableBufferPointer { try body($0) }
    }

    /// Whether no element is NaN or infinite.
    public var isFinite: Bool {
        elements.withUnsafeBufferPointer { values in
            // x * 0 is zero for a finite x and NaN otherwise: a sum without branches.
            var sum = 0.0
            for index in 0..<values.count { sum += values[index] * 0 }
            return sum == 0
        }
    }

    /// The matrix with rows and columns exchanged.
    public var transposed: Matrix {
        elements.withUnsafeBufferPointer { source in
            Matrix(rows: columns, columns: rows) { target in
                let block = 32
                for i0 in stride(from: 0, to: rows, by: block) {
                    for j0 in stride(from: 0, to: columns, by: block) {
                        for i in i0..<min(i0 + block, rows) {
                            for j in j0..<min(j0 + block, columns) { target[j * rows + i] = source[i * columns + j] }
                        }
                    }
                }
            }
        }
    }

    /// The sum of the diagonal.
    public var trace: Double {
        var sum = 0.0
        for index in 0..<min(rows, columns) { sum += elements[index * columns + index] }
        return sum
    }

    /// The sum of the squares of all elements.
    public var squaredNorm: Double { dot(self) }

    /// The sum of the products of corresponding elements; the shapes must be equal.
    public func dot(_ other: Matrix) -> Double {
        precondition(rows == other.rows && columns == other.columns)
        return elements.withUnsafeBufferPointer { x in
            other.elements.withUnsafeBufferPointer { y in
                if x.isEmpty { return 0 }
                // Row by row, so that the rounding error grows with the extents and not with their product.
                var sum = 0.0
                for i in 0..<rows {
                    var row = 0.0
                    for j in 0..<columns { row += x[i * columns + j] * y[i * columns + j] }
                    sum += row
                }
                return sum
            }
        }
    }

    /// The first `count` columns.
    public func leadingColumns(_ count: Int) -> Matrix {
        precondition((0...columns).contains(count))
        return elements.withUnsafeBufferPointer { source in
            Matrix(rows: rows, columns: count) { target in
                for i in 0..<rows {
                    for j in 0..<count { target[i * count + j] = source[i * columns + j] }
                }
            }
        }
    }
}
