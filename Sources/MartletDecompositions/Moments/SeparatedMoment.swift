import MartletLinearAlgebra
import MartletParallelism

/// A second moment taken as a product: `Sigma_ab ~ rho_ab M`, with `M` `[S, S]` a moment over channels and `rho` `[h w, h w]`
/// how taps go together.
///
/// Of all products it is about the one under which normal patches with the moment `Sigma` are the likeliest: `M` is the mean of
/// the channels' moments with taps whitened by `rho`, and `rho` that of the taps' with channels whitened by `M` (flip-flop, Dutilleul
/// 1999). Directions that the patches hardly take are met as well as those they take most, which is what a preconditioner is
/// for; the nearest product in the Frobenius norm, where it starts, sees the large ones alone.
///
/// Natural images make this a fair likeness, and everything about it is cheap: it gives a start and a preconditioner.
struct SeparatedMoment {
    let channels: Int
    let taps: Int
    /// `rho`, row-major.
    let tapMoment: [Double]
    /// The lower triangular root of `M` with its ridge: `M = L L^T`.
    let root: Matrix

    /// - Parameter ridge: added to the diagonal of the second moment.
    init(_ secondMoment: SecondMoment, channels: Int, taps: Int, ridge: Double, pool: ThreadPool) throws {
        self.channels = channels
        self.taps = taps
        let sums = ContractedMoment(
            sigma: secondMoment.matrix, channels: channels, taps: taps, ridge: ridge, pool: pool)
        var moment = sums.overTaps(Matrix.identity(taps).scaled(by: 1 / Double(taps)))
        var tapMoment = sums.overChannels(moment).scaled(by: 1 / moment.squaredNorm)
        for _ in 0..<Self.turns {
            // What is not definite to rounding is left as it was.
            guard let inverse = try? CholeskyDecomposition(tapMoment).solve(.identity(taps)) else { break }
            let next = sums.overTaps(inverse).scaled(by: 1 / Double(taps))
            guard let inverse = try? CholeskyDecomposition(next).solve(.identity(channels), pool: pool) else { break }
            moment = next
            tapMoment = sums.overChannels(inverse).scaled(by: 1 / Double(channels))
        }
        self.tapMoment = tapMoment.elements
        self.root = try CholeskyDecomposition(moment).factor
    }

    /// After two there is hardly any change.
    private static let turns = 2

    /// The input factor that would be best if the outputs were free and the moment were separated: orthonormal columns
    /// `[S, count]`.
    ///
    /// With `N = sum_ab rho_ab W_a^T W_b` the loss is `tr((I - P) L^T N L (I - P)^T)` for a projection `P` onto the
    /// leading eigenvectors `E` of `L^T N L`; back in the inputs' own coordinates they span `L^-T E`.
    func leadingInputs(of kernel: ConvolutionKernel, count: Int, pool: ThreadPool) throws -> Matrix {
        let weights = TapOrder.tapMajor(kernel.matrix, taps: taps, pool: pool)
        let mixed = mixedOverTaps(weights, width: channels)
        var product = Matrix(rows: channels, columns: channels)
        withPointers(weights, mixed, &product) { weights, mixed, product in
            BLAS.gemm(
                pool: pool, transposeA: true, m: channels, n: channels, k: kernel.outputs * taps, a: weights,
                lda: channels,
                b: mixed, ldb: channels, c: product, ldc: channels)
        }
        let half = try product.multiplied(by: root, pool: pool)
        let eigen = try SymmetricEigendecomposition(
            root.multiplied(by: half, transposed: true, pool: pool), leading: count)
        let back = try root.solvingTriangular(.lower, transposed: true, right: eigen.vectors, pool: pool)
        return try QRDecomposition(back).orthonormal
    }

    /// `sum_b rho_ab X_b` for each tap `a` of a tap-major `X` `[rows, h w width]`.
    private func mixedOverTaps(_ tapMajor: Matrix, width: Int) -> Matrix {
        var result = Matrix(rows: tapMajor.rows, columns: tapMajor.columns)
        withPointers(tapMajor, &result) { source, target in
            for row in 0..<tapMajor.rows {
                for first in 0..<taps {
                    let to = target + (row * taps + first) * width
                    for second in 0..<taps {
                        let from = source + (row * taps + second) * width
                        let weight = tapMoment[first * taps + second]
                        for index in 0..<width { to[index] += weight * from[index] }
                    }
                }
            }
        }
        return result
    }

    /// The inverse of the normal equations' operator, had the moment this form: `X -> M X K` with
    /// `K = sum_ab rho_ab G_a^T G_b` is undone by two pairs of triangular solves. Nil for a core that is zero.
    func preconditioner(core: Matrix, rank: Int, pool: ThreadPool) throws -> Preconditioner? {
        let mixed = mixedOverTaps(core, width: rank)
        let rows = core.rows * taps
        var gram = Matrix(rows: rank, columns: rank)
        withPointers(core, mixed, &gram) { core, mixed, gram in
            BLAS.gemm(
                pool: pool, transposeA: true, m: rank, n: rank, k: rows, a: core, lda: rank, b: mixed, ldb: rank,
                c: gram, ldc: rank)
        }
        let trace = gram.trace
        if trace <= 0 { return nil }
        // More input ranks than the core can tell apart leave it singular.
        for index in 0..<rank { gram[index, index] += 1e-8 * trace }
        return Preconditioner(root: root, coreRoot: try CholeskyDecomposition(gram).factor, pool: pool)
    }

    struct Preconditioner {
        let root: Matrix
        let coreRoot: Matrix
        let pool: ThreadPool

        func applied(to residual: [Double]) throws -> [Double] {
            let (channels, rank) = (root.rows, coreRoot.rows)
            var result = residual
            result.withUnsafeMutableBufferPointer { result in
                root.elements.withUnsafeBufferPointer { root in
                    coreRoot.elements.withUnsafeBufferPointer { coreRoot in
                        guard let b = result.baseAddress, let left = root.baseAddress, let right = coreRoot.baseAddress
                        else { return }
                        for transposed in [false, true] {
                            BLAS.trsm(
                                pool: pool, side: .left, triangle: .lower, transposeA: transposed, m: channels, n: rank,
                                a: left, lda: channels, b: b, ldb: rank)
                            BLAS.trsm(
                                pool: pool, side: .right, triangle: .lower, transposeA: !transposed, m: channels,
                                n: rank, a: right, lda: rank, b: b, ldb: rank)
                        }
                    }
                }
            }
            return result
        }
    }
}

/// Sums over one side of a second moment `[S h w, S h w]`, with a ridge on its diagonal.
private struct ContractedMoment {
    let sigma: Matrix
    let channels: Int
    let taps: Int
    let ridge: Double
    let pool: ThreadPool

    /// `sum_ab X_ab Sigma_ab` `[S, S]` for an `X` `[h w, h w]`.
    func overTaps(_ weights: Matrix) -> Matrix {
        var result = Matrix(rows: channels, columns: channels)
        let order = channels * taps
        withPointers(sigma, weights, &result) { sigma, weights, result in
            pool.forEach(channels) { i in
                let target = result + i * channels
                for first in 0..<taps {
                    let row = sigma + (i * taps + first) * order
                    let factors = weights + first * taps
                    for j in 0..<channels {
                        var sum = 0.0
                        for second in 0..<taps { sum += factors[second] * row[j * taps + second] }
                        target[j] += sum
                    }
                }
                target[i] += ridge * weights.trace(taps)
            }
        }
        return result
    }

    /// `sum_ij X_ij Sigma_ij` `[h w, h w]` for an `X` `[S, S]`.
    func overChannels(_ weights: Matrix) -> Matrix {
        // One row of sums a channel, added up in order.
        var sums = Matrix(rows: channels, columns: taps * taps)
        let order = channels * taps
        withPointers(sigma, weights, &sums) { sigma, weights, sums in
            pool.forEach(channels) { i in
                let target = sums + i * taps * taps
                for first in 0..<taps {
                    let row = sigma + (i * taps + first) * order
                    for j in 0..<channels {
                        let weight = weights[i * channels + j]
                        for second in 0..<taps { target[first * taps + second] += weight * row[j * taps + second] }
                    }
                    target[first * taps + first] += ridge * weights[i * channels + i]
                }
            }
        }
        var result = Matrix(rows: taps, columns: taps)
        for i in 0..<channels {
            for first in 0..<taps {
                for second in 0..<taps { result[first, second] += sums[i, first * taps + second] }
            }
        }
        return result
    }
}

extension UnsafePointer<Double> {
    /// Of a square matrix.
    fileprivate func trace(_ order: Int) -> Double {
        var sum = 0.0
        for index in 0..<order { sum += self[index * order + index] }
        return sum
    }
}
