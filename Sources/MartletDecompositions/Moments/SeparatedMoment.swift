import MartletLinearAlgebra
import MartletParallelism

/// A second moment taken as a product: `Sigma_ab ~ rho_ab M`, with `M` `[S, S]` the moment over channels averaged over
/// taps and `rho` `[h w, h w]` how taps go together, `rho_ab = <Sigma_ab, M> / <M, M>`.
///
/// Natural images make this a fair likeness, and everything about it is cheap: it gives a start and a preconditioner.
struct SeparatedMoment {
    let channels: Int
    let taps: Int
    /// `rho`, row-major.
    let tapMoment: [Double]
    /// The lower triangular root of `M` with its ridge: `M = L L^T`.
    let root: Matrix

    init(_ secondMoment: SecondMoment, channels: Int, taps: Int, ridge: Double, pool: ThreadPool) throws {
        self.channels = channels
        self.taps = taps
        let order = channels * taps
        var moment = Matrix(rows: channels, columns: channels)
        withPointers(secondMoment.matrix, &moment) { sigma, moment in
            pool.forEach(channels) { i in
                for tap in 0..<taps {
                    let row = sigma + (i * taps + tap) * order + tap
                    for j in 0..<channels { moment[i * channels + j] += row[j * taps] / Double(taps) }
                }
                moment[i * channels + i] += ridge
            }
        }
        // One row of sums a channel, added up in order.
        var sums = Matrix(rows: channels, columns: taps * taps)
        withPointers(secondMoment.matrix, moment, &sums) { sigma, moment, sums in
            pool.forEach(channels) { i in
                let target = sums + i * taps * taps
                for first in 0..<taps {
                    let row = sigma + (i * taps + first) * order
                    for j in 0..<channels {
                        let weight = moment[i * channels + j]
                        for second in 0..<taps { target[first * taps + second] += weight * row[j * taps + second] }
                    }
                    target[first * taps + first] += ridge * moment[i * channels + i]
                }
            }
        }
        let scale = moment.squaredNorm
        var tapMoment = [Double](repeating: 0, count: taps * taps)
        for i in 0..<channels {
            for index in 0..<taps * taps { tapMoment[index] += sums.elements[i * taps * taps + index] / scale }
        }
        self.tapMoment = tapMoment
        self.root = try CholeskyDecomposition(moment).factor
    }

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
