import CMartletOpenBLAS
import MartletParallelism

/// `A = L L^T` of a symmetric positive definite matrix.
public struct CholeskyDecomposition: Sendable {
    /// `L`, lower triangular with a positive diagonal; zero above.
    public let factor: Matrix

    /// Factors a matrix of which only the lower triangle is read. Pass it with `consume` where it is large, and it is
    /// overwritten instead of copied.
    /// - Throws: ``LinearAlgebraError``: not square, not finite, or not positive definite.
    public init(_ matrix: consuming Matrix) throws(LinearAlgebraError) {
        let order = matrix.rows
        guard order == matrix.columns else {
            throw .dimensionMismatch(operation: "Cholesky decomposition", shapes: [[order, matrix.columns]])
        }
        guard matrix.isFinite else { throw .nonFinite(operation: "Cholesky decomposition") }
        if order > 0 {
            BLAS.prepare()
            var info = Int32(0)
            matrix.elements.withUnsafeMutableBufferPointer { elements in
                var size = Int32(order)
                // Row-major lower is column-major upper.
                var triangle = letter("U")
                dpotrf_(&triangle, &size, elements.baseAddress, &size, &info)
                for i in 0..<order {
                    for j in i + 1..<max(order, i + 1) { elements[i * order + j] = 0 }
                }
            }
            guard info == 0 else { throw .notPositiveDefinite(order: Int(info)) }
        }
        self.factor = matrix
    }

    /// The solution `X` of `A X = B`.
    /// - Throws: ``LinearAlgebraError/dimensionMismatch(operation:shapes:)``.
    public func solve(_ right: Matrix, pool: ThreadPool? = nil) throws(LinearAlgebraError) -> Matrix {
        let half = try factor.solvingTriangular(.lower, right: right, pool: pool)
        return try factor.solvingTriangular(.lower, transposed: true, right: half, pool: pool)
    }
}

extension Matrix {
    /// The solution `X` of `T X = B`, or with `transposed` `T^T X = B`, where `T` is one triangle of this matrix.
    /// - Throws: ``LinearAlgebraError`` if the extents do not fit or the diagonal has a zero.
    public func solvingTriangular(
        _ triangle: BLAS.Triangle, transposed: Bool = false, right: Matrix, pool: ThreadPool? = nil
    ) throws(LinearAlgebraError) -> Matrix {
        guard rows == columns, right.rows == rows else {
            throw .dimensionMismatch(
                operation: "triangular solve", shapes: [[rows, columns], [right.rows, right.columns]])
        }
        for index in 0..<rows where elements[index * columns + index] == 0 { throw .singular(row: index) }
        var result = right
        if result.elements.isEmpty { return result }
        elements.withUnsafeBufferPointer { a in
            result.elements.withUnsafeMutableBufferPointer { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return }
                BLAS.trsm(
                    pool: pool ?? .alone, side: .left, triangle: triangle, transposeA: transposed, m: right.rows,
                    n: right.columns, a: a, lda: columns, b: b, ldb: right.columns)
            }
        }
        return result
    }
}
