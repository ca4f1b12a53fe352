import MartletLinearAlgebra
import MartletParallelism

/// Ranks from VBMF and a ratio (paper, 3.1, 3.2 and equation 2).
public enum RankSelection {
    /// `R = R_max - alpha (R_max - R_VBMF)`, rounded down, at least 1: `alpha` 0 keeps everything, 1 is VBMF's own rank.
    ///
    /// Rounding down is what reproduces the paper's compression ratios: 1.68 for ResNet-18 at `alpha` 0.5 and 2.01 at 0.6.
    /// - Throws: ``DecompositionError/optionOutOfRange(option:value:range:)`` for a ratio outside `0 ... 1`.
    public static func rank(maximum: Int, vbmf: Int, ratio: Double) throws(DecompositionError) -> Int {
        guard (0...1).contains(ratio) else {
            throw .optionOutOfRange(option: "the VBMF ratio", value: ratio, range: "0 ... 1")
        }
        let rank = Double(maximum) - ratio * Double(maximum - vbmf)
        // A ratio like 0.1 is not exact: a whole number must not fall to the one below.
        return max(1, min(maximum, Int((rank + 1e-9).rounded(.down))))
    }

    /// VBMF's ranks of a kernel's unfoldings along the outputs, `[T, S h w]`, and the inputs, `[S, T h w]`.
    /// - Throws: as ``VBMF/init(_:noiseVariance:pool:)``.
    public static func vbmfRanks(
        of kernel: ConvolutionKernel, pool: ThreadPool
    ) throws -> (output: Int, input: Int) {
        let byOutput = try VBMF(kernel.matrix, pool: pool)
        // `[T, h w, S]` is the transpose of an unfolding along the inputs; the order of its rows does not matter.
        let tapMajor = TapOrder.tapMajor(kernel.matrix, taps: kernel.taps, pool: pool)
        let unfolding = try Matrix(
            rows: kernel.outputs * kernel.taps, columns: kernel.inputs, elements: tapMajor.elements)
        return (byOutput.rank, try VBMF(unfolding, pool: pool).rank)
    }

    /// The Tucker-2 ranks of a kernel at a VBMF ratio.
    /// - Throws: as ``rank(maximum:vbmf:ratio:)`` and ``vbmfRanks(of:pool:)``.
    public static func tucker2Ranks(
        of kernel: ConvolutionKernel, ratio: Double, pool: ThreadPool
    ) throws -> (output: Int, input: Int) {
        let vbmf = try vbmfRanks(of: kernel, pool: pool)
        return (
            try rank(maximum: kernel.outputs, vbmf: vbmf.output, ratio: ratio),
            try rank(maximum: kernel.inputs, vbmf: vbmf.input, ratio: ratio)
        )
    }
}
