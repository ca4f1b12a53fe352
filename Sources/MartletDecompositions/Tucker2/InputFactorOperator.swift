import MartletLinearAlgebra
import MartletParallelism

/// The normal equations of the input factor, `X -> sum_a [Sigma (U_S = X, G)^T]_a G_a`, as products.
///
/// With the output factor orthonormal, the error is `tr((P - V) Sigma (P - V)^T)` and a constant, where `P = U_T^T W` and
/// `V_a = G_a X^T` for each tap `a`. Half its gradient is `sum_a (V Sigma)_a^T G_a - sum_a (P Sigma)_a^T G_a`: the first
/// sum is this operator, ``contracted(_:core:)`` of `P Sigma` the second. One application costs `R_T D^2` multiply-adds,
/// nearly all in one gemm.
struct InputFactorOperator<Scalar: BLASScalar> {
    /// `Sigma` `[D, D]`, interleaved as it comes, without the ridge.
    let sigma: [Scalar]
    let ridge: Scalar
    let channels: Int
    let taps: Int
    let pool: ThreadPool

    /// `A X` for `X` `[S, R_S]` and a core `[R_T, h w R_S]`, tap-major.
    func applied(to factor: [Scalar], core: [Scalar]) -> [Scalar] {
        let rank = factor.count / channels
        let rows = core.count / (taps * rank)
        let order = channels * taps
        var image = [Scalar](repeating: 0, count: rows * order)
        var scratch = image
        // V, tap by tap.
        withPointers(core, factor, &scratch) { core, factor, scratch in
            for tap in 0..<taps {
                Scalar.gemm(
                    pool: pool, transposeA: false, transposeB: true, m: rows, n: channels, k: rank,
                    a: core + tap * rank,
                    lda: taps * rank, b: factor, ldb: rank, beta: 0, c: scratch + tap * channels, ldc: order)
            }
        }
        withPointers(scratch, sigma, &image) { scratch, _, image in
            TapOrder.interleave(scratch, into: image, rows: rows, channels: channels, taps: taps, pool: pool)
        }
        // V Sigma and the ridge's part of it, into the scratch.
        withPointers(image, sigma, &scratch) { image, sigma, scratch in
            scratch.update(from: image, count: rows * order)
            for index in 0..<rows * order { scratch[index] *= ridge }
            Scalar.gemm(
                pool: pool, transposeA: false, transposeB: false, m: rows, n: order, k: order, a: image, lda: order,
                b: sigma, ldb: order, beta: 1, c: scratch, ldc: order)
        }
        withPointers(scratch, sigma, &image) { scratch, _, image in
            TapOrder.deinterleave(scratch, into: image, rows: rows, channels: channels, taps: taps, pool: pool)
        }
        return contracted(image, core: core)
    }

    /// `sum_a Y_a^T G_a` `[S, R_S]` for `Y` `[R_T, h w S]` and a core `[R_T, h w R_S]`, both tap-major.
    func contracted(_ image: [Scalar], core: [Scalar]) -> [Scalar] {
        let order = channels * taps
        let rows = image.count / order
        let rank = core.count / (rows * taps)
        var result = [Scalar](repeating: 0, count: channels * rank)
        withPointers(image, core, &result) { image, core, result in
            for tap in 0..<taps {
                Scalar.gemm(
                    pool: pool, transposeA: true, transposeB: false, m: channels, n: rank, k: rows,
                    a: image + tap * channels, lda: order, b: core + tap * rank, ldb: taps * rank, beta: 1, c: result,
                    ldc: rank)
            }
        }
        return result
    }
}
