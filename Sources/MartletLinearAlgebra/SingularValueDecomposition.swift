import CMartletOpenBLAS
import MartletParallelism

/// The thin singular value decomposition `A = U diag(s) V^T` (LAPACK's `dgesdd`).
public struct SingularValueDecomposition: Sendable {
    /// The left singular vectors as columns `[m, k]`, `k = min(m, n)`. In each the entry of largest magnitude (the first
    /// of equals) is positive.
    public let left: Matrix
    /// The singular values, largest first.
    public let values: [Double]
    /// The right singular vectors as rows `[k, n]`.
    public let rightTransposed: Matrix

    /// Decomposes `matrix` `[m, n]`.
    /// - Throws: ``LinearAlgebraError`` if it has a NaN or an infinity, or does not converge.
    public init(_ matrix: Matrix) throws(LinearAlgebraError) {
        guard matrix.isFinite else { throw .nonFinite(operation: "singular value decomposition") }
        let (m, n) = (matrix.rows, matrix.columns)
        let k = min(m, n)
        guard k > 0 else {
            self.left = Matrix(rows: m, columns: 0)
            self.values = []
            self.rightTransposed = Matrix(rows: 0, columns: n)
            return
        }
        BLAS.prepare()
        // Column-major LAPACK sees A^T = V diag(s) U^T, so what it calls U, column-major, is V^T in rows, and its VT is U.
        var (lapackRows, lapackColumns, rank) = (Int32(n), Int32(m), Int32(k))
        var copy = matrix.elements
        var values = [Double](repeating: 0, count: k)
        var right = [Double](repeating: 0, count: k * n)
        var left = [Double](repeating: 0, count: m * k)
        var integers = [Int32](repeating: 0, count: 8 * k)
        var job = letter("S")
        var info = Int32(0)
        var work = [0.0]
        for call in 0...1 {
            var workCount = call == 0 ? Int32(-1) : Int32(work.count)
            dgesdd_(
                &job, &lapackRows, &lapackColumns, &copy, &lapackRows, &values, &right, &lapackRows, &left, &rank,
                &work, &workCount, &integers, &info)
            if call == 0 && info == 0 { work = [Double](repeating: 0, count: Int(work[0])) } else { break }
        }
        guard info == 0 else { throw .noConvergence(routine: "dgesdd", info: Int(info)) }
        for vector in 0..<k {
            var largest = 0.0
            for row in 0..<m where abs(left[row * k + vector]) > abs(largest) { largest = left[row * k + vector] }
            if largest >= 0 { continue }
            for row in 0..<m { left[row * k + vector].negate() }
            for column in 0..<n { right[vector * n + column].negate() }
        }
        self.values = values
        self.left = try Matrix(rows: m, columns: k, elements: left)
        self.rightTransposed = try Matrix(rows: k, columns: n, elements: right)
    }

    /// The `count` leading left singular vectors of `matrix` `[m, n]` as columns, from the eigenvectors of its Gram
    /// matrix `A A^T`: for `n` much larger than `m` a fraction of the full decomposition's work.
    ///
    /// Squaring loses half the digits of what is small: singular values below `1e-8` of the largest are noise here, and
    /// their vectors an arbitrary orthonormal completion. What is above is as good as the full decomposition gives.
    /// - Throws: ``LinearAlgebraError``, also if `count` exceeds `m`.
    public static func leadingLeftVectors(
        of matrix: Matrix, count: Int, pool: ThreadPool? = nil
    ) throws(LinearAlgebraError) -> Matrix {
        try SymmetricEigendecomposition(matrix.gram(pool: pool), leading: count).vectors
    }
}
