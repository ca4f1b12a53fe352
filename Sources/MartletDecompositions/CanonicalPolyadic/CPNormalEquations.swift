import MartletLinearAlgebra
import MartletParallelism

/// `X N = M` for one factor `X` `[n, R]` of a CP form, with `N` `[R, R]` the product of the other factors' Gram matrices.
enum CPNormalEquations {
    /// The solution, held to `previous` where `N` leaves it open.
    ///
    /// Terms that resemble each other, or more terms than the other factors can tell apart, make `N` singular to rounding.
    /// Then `|X - X_0|^2` times a small number is added to what is minimised: the smallest of 1e-12, 1e-10... of the mean
    /// diagonal with which the factorisation succeeds. The error cannot rise by that, since `X_0` itself stays a
    /// candidate.
    static func solve(_ system: Matrix, _ right: Matrix, previous: Matrix, pool: ThreadPool) throws -> Matrix {
        let rank = system.rows
        let scale = system.trace / Double(max(rank, 1))
        if !(scale > 0) {
            guard system.isFinite else { throw DecompositionError.nonFinite(subject: "a CP factor") }
            return previous
        }
        var ridge = 1e-12 * scale
        while true {
            guard let lower = try factor(system.addingToDiagonal(ridge), isLast: ridge >= scale) else {
                ridge *= 100
                continue
            }
            var result = right.moved(along: previous, by: ridge)
            let rows = result.rows
            withPointers(lower, &result) { lower, result in
                for transposed in [true, false] {
                    BLAS.trsm(
                        pool: pool, side: .right, triangle: .lower, transposeA: transposed, m: rows, n: rank, a: lower,
                        lda: rank, b: result, ldb: rank)
                }
            }
            return result
        }
    }

    /// The Cholesky factor; nil where the matrix is not definite, unless that is the last word.
    private static func factor(_ matrix: Matrix, isLast: Bool) throws -> Matrix? {
        do {
            return try CholeskyDecomposition(matrix).factor
        } catch {
            if case .notPositiveDefinite = error, !isLast { return nil }
            throw error
        }
    }
}

extension Matrix {
    /// The matrix with a number added to each diagonal entry.
    func addingToDiagonal(_ value: Double) -> Matrix {
        var result = self
        result.withMutableElements { elements in
            for index in 0..<min(rows, columns) { elements[index * columns + index] += value }
        }
        return result
    }
}
