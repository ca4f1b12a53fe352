import MartletLinearAlgebra
import MartletParallelism

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Keeps the rank-one terms of a CP form small (Phan et al., "Stable Low-Rank Tensor Decomposition for Compression of
/// Convolutional Neural Network", 2020).
///
/// Terms may grow without bound and cancel each other while the error hardly changes. Given a form, the sum of the terms'
/// squared norms is made smaller under the condition that the squared error stays below a bound a little above it.
enum ErrorPreservingCorrection {
    /// By which part the squared error may grow.
    static let slack = 0.02
    /// The most sweeps, and the part of the terms' squared norms that a sweep must take away.
    static let maximumSweeps = 10
    static let tolerance = 0.01

    /// The factor `X` `[n, R]` of the smallest norm with `energy - 2 <M, X> + <X N, X> <= bound`; nil if no `X` is that
    /// near. With the other factors' vectors of norm 1, the norm of `X` is that of the terms.
    ///
    /// It solves `X (N + mu I) = M` for the largest `mu` that the bound allows. In the coordinates of `N`'s eigenvectors the
    /// error is `energy - sum_k c_k^2 (l_k + 2 mu) / (l_k + mu)^2`, which grows with `mu`, and bisection finds it.
    static func smallest(
        _ system: Matrix, _ right: Matrix, energy: Double, bound: Double, pool: ThreadPool
    ) throws -> Matrix? {
        if bound >= energy { return Matrix(rows: right.rows, columns: right.columns) }
        let eigen = try SymmetricEigendecomposition(system)
        guard let largest = eigen.values.first, largest > 0 else { return nil }
        let values = eigen.values.map { max($0, 1e-14 * largest) }
        let image = try right.multiplied(by: eigen.vectors, pool: pool)
        let squares = image.columnNorms.map { $0 * $0 }
        func error(_ ridge: Double) -> Double {
            zip(values, squares).reduce(energy) {
                $0 - $1.1 * ($1.0 + 2 * ridge) / (($1.0 + ridge) * ($1.0 + ridge))
            }
        }
        var (low, high) = (-32.0, 4.0)
        if error(largest * exp(low)) > bound { return nil }
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if error(largest * exp(middle)) <= bound { low = middle } else { high = middle }
        }
        let ridge = largest * exp(low)
        return try image.scalingColumns(by: values.map { 1 / ($0 + ridge) })
            .multiplied(by: eigen.vectors, otherTransposed: true, pool: pool)
    }
}

extension CPAlternatingLeastSquares {
    /// The same number of terms with a smaller sum of squared norms and nearly the same error: every factor in turn is the
    /// smallest that the bound allows, the others' vectors having norm 1.
    func bounded(_ start: CanonicalPolyadic, checkCancellation: () throws -> Void) throws -> CanonicalPolyadic {
        let energy = kernel.matrix.squaredNorm
        let first = start.withUnitPatches()
        let rest = kernel.matrix.moved(along: try first.reconstructed(pool: pool).matrix, by: -1).squaredNorm
        let bound = rest * (1 + ErrorPreservingCorrection.slack)
        var best = first
        for _ in 0..<ErrorPreservingCorrection.maximumSweeps {
            try checkCancellation()
            var factors = best
            for mode in 0..<4 {
                let (system, right) = try normalEquations(of: factors, mode: mode)
                guard
                    let factor = try ErrorPreservingCorrection.smallest(
                        system, right, energy: energy, bound: bound, pool: pool)
                else { continue }
                factors = factors.replacing(mode, by: factor)
            }
            factors = factors.withUnitPatches()
            let (before, after) = (best.outputs.squaredNorm, factors.outputs.squaredNorm)
            if !(after < before) { break }
            best = factors
            if before - after < ErrorPreservingCorrection.tolerance * before { break }
        }
        return best
    }

    /// `N` and `M` of a factor (outputs, inputs, rows, columns), the others' vectors having norm 1.
    private func normalEquations(of factors: CanonicalPolyadic, mode: Int) throws -> (Matrix, Matrix) {
        let unit = factors.all.enumerated().map { index, factor in
            index == mode ? factor : factor.scalingColumns(by: factor.columnNorms.map { $0 > 0 ? 1 / $0 : 0 })
        }
        let others = unit.indices.filter { $0 != mode }
        let grams = others.map { unit[$0].gram(transposed: true, pool: pool) }
        let system = grams[0].timesElements(of: grams[1]).timesElements(of: grams[2])
        let taps = KhatriRao.taps(rows: unit[2], columns: unit[3])
        if mode == 0 {
            let patches = KhatriRao.expanded(inputs: unit[1], taps: taps, pool: pool)
            return (system, try kernel.matrix.multiplied(by: patches, pool: pool))
        }
        let image = try kernel.matrix.multiplied(by: unit[0], transposed: true, pool: pool)
        let rank = factors.rank
        if mode == 1 {
            var right = Matrix(rows: kernel.inputs, columns: rank)
            withPointers(image, taps, &right) { image, taps, right in
                KhatriRao.summedOverTaps(
                    image, taps: taps, channels: kernel.inputs, tapCount: kernel.taps, rank: rank, into: right,
                    pool: pool)
            }
            return (system, right)
        }
        var byTap = Matrix(rows: kernel.taps, columns: rank)
        withPointers(image, unit[1], &byTap) { image, inputs, byTap in
            KhatriRao.summedOverInputs(
                image, inputs: inputs, channels: kernel.inputs, tapCount: kernel.taps, rank: rank, into: byTap,
                pool: pool)
        }
        return (system, KhatriRao.summedOver(unit[mode == 2 ? 3 : 2], overRows: mode == 3, of: byTap))
    }
}

extension CanonicalPolyadic {
    /// Outputs, inputs, rows, columns.
    fileprivate var all: [Matrix] { [outputs, inputs, rows, columns] }

    /// One factor in place of another, the others' vectors with norm 1.
    fileprivate func replacing(_ mode: Int, by factor: Matrix) -> CanonicalPolyadic {
        var parts = all.map { part in part.scalingColumns(by: part.columnNorms.map { $0 > 0 ? 1 / $0 : 0 }) }
        parts[mode] = factor
        return CanonicalPolyadic(outputs: parts[0], inputs: parts[1], rows: parts[2], columns: parts[3])
    }
}
