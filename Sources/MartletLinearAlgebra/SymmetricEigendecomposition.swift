import CMartletOpenBLAS

/// The eigenvalues and orthonormal eigenvectors of a symmetric matrix (LAPACK's `dsyevr`).
///
/// Eigenvalues are exact to about `n` rounding errors of the largest; vectors of close eigenvalues are determined only
/// up to a rotation among themselves.
public struct SymmetricEigendecomposition: Sendable {
    /// The eigenvalues, largest first.
    public let values: [Double]
    /// The eigenvectors as columns `[n, values.count]`. In each the entry of largest magnitude (the first of equals) is
    /// positive.
    public let vectors: Matrix

    /// Decomposes a matrix of which only the lower triangle is read, and keeps the `leading` largest eigenvalues (all
    /// if nil).
    /// - Throws: ``LinearAlgebraError`` if it is not square, has a NaN or an infinity, or does not converge.
    public init(_ matrix: Matrix, leading: Int? = nil) throws(LinearAlgebraError) {
        let order = matrix.rows
        let kept = leading ?? order
        guard (0...order).contains(kept) else {
            throw .dimensionMismatch(operation: "eigendecomposition", shapes: [[order, order], [order, kept]])
        }
        let (ascending, rowsAscending) = try Self.decompose(matrix, vectors: true)
        self.values = [Double](ascending.reversed().prefix(kept))
        self.vectors = rowsAscending.withUnsafeBufferPointer { source in
            Matrix(rows: order, columns: kept) { target in
                for column in 0..<kept {
                    let vector = UnsafeBufferPointer(
                        rebasing: source[(order - 1 - column) * order..<(order - column) * order])
                    let sign = signOfLargestEntry(vector)
                    for row in 0..<order { target[row * kept + column] = sign * vector[row] }
                }
            }
        }
    }

    /// The eigenvalues alone, largest first; only the lower triangle is read.
    /// - Throws: as ``init(_:leading:)``.
    public static func values(of matrix: Matrix) throws(LinearAlgebraError) -> [Double] {
        try decompose(matrix, vectors: false).values.reversed()
    }

    /// Eigenvalues, smallest first, and the eigenvectors as the rows of a square matrix.
    private static func decompose(
        _ matrix: Matrix, vectors: Bool
    ) throws(LinearAlgebraError) -> (values: [Double], vectors: [Double]) {
        let operation = "eigendecomposition"
        guard matrix.rows == matrix.columns else {
            throw .dimensionMismatch(operation: operation, shapes: [[matrix.rows, matrix.columns]])
        }
        guard matrix.isFinite else { throw .nonFinite(operation: operation) }
        if matrix.rows == 0 { return ([], []) }
        BLAS.prepare()

        var order = Int32(matrix.rows)
        var copy = matrix.elements
        var eigenvalues = [Double](repeating: 0, count: matrix.rows)
        var eigenvectors = [Double](repeating: 0, count: vectors ? copy.count : 1)
        var support = [Int32](repeating: 0, count: 2 * matrix.rows)
        var (found, info) = (Int32(0), Int32(0))
        var (unused, unusedIndex) = (0.0, Int32(0))
        var tolerance = 0.0
        // Row-major lower is column-major upper.
        var (job, range, triangle) =
            vectors ? (letter("V"), letter("A"), letter("U")) : (letter("N"), letter("A"), letter("U"))
        var work = [0.0]
        var integers = [Int32(0)]
        // The first call asks for the work space, the second does the work.
        for call in 0...1 {
            var workCount = call == 0 ? Int32(-1) : Int32(work.count)
            var integerCount = call == 0 ? Int32(-1) : Int32(integers.count)
            dsyevr_(
                &job, &range, &triangle, &order, &copy, &order, &unused, &unused, &unusedIndex, &unusedIndex,
                &tolerance, &found, &eigenvalues, &eigenvectors, &order, &support, &work, &workCount, &integers,
                &integerCount, &info)
            if call == 0 && info == 0 {
                work = [Double](repeating: 0, count: Int(work[0]))
                integers = [Int32](repeating: 0, count: Int(integers[0]))
            } else {
                break
            }
        }
        guard info == 0, found == order else { throw .noConvergence(routine: "dsyevr", info: Int(info)) }
        return (eigenvalues, eigenvectors)
    }
}

/// A character as LAPACK wants it.
func letter(_ character: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: character.value) }

/// -1 if the entry of largest magnitude, the first of equals, is negative; else 1.
func signOfLargestEntry(_ vector: UnsafeBufferPointer<Double>) -> Double {
    var largest = 0.0
    for entry in vector where abs(entry) > abs(largest) { largest = entry }
    return largest < 0 ? -1 : 1
}
