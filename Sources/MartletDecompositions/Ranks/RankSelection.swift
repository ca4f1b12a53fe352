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

    /// The ranks of a kernel in a form at a VBMF ratio: ``rank(maximum:vbmf:ratio:)`` between
    /// ``DecompositionForm/startingRanks(of:)`` and ``vbmfRanks(of:form:pool:)``.
    /// - Throws: as those.
    public static func ranks(
        of kernel: ConvolutionKernel, form: DecompositionForm, ratio: Double, pool: ThreadPool
    ) throws -> [Int] {
        let vbmf = try vbmfRanks(of: kernel, form: form, pool: pool)
        // VBMF may find more than would save anything.
        return try zip(form.startingRanks(of: kernel.shape), vbmf).map { maximum, vbmf in
            try rank(maximum: maximum, vbmf: min(vbmf, maximum), ratio: ratio)
        }
    }

    /// VBMF's ranks of the matrices that a form approximates.
    ///
    /// - Tucker-2: the unfoldings along the outputs, `[T, S h w]`, and the inputs, `[S, T h w]`.
    /// - CP: the largest of all four unfoldings' (paper, 3.1).
    /// - SVD and spatial SVD: the matrix that is cut, `[T, S h w]` or `[T w, S h]`.
    /// - Throws: as ``VBMF/init(_:noiseVariance:pool:)``.
    public static func vbmfRanks(
        of kernel: ConvolutionKernel, form: DecompositionForm, pool: ThreadPool
    ) throws -> [Int] {
        let (outputs, inputs, height, width) = (kernel.outputs, kernel.inputs, kernel.height, kernel.width)
        func vbmf(_ rows: Int, _ columns: Int, _ elements: [Double]) throws -> Int {
            try VBMF(Matrix(rows: rows, columns: columns, elements: elements), pool: pool).rank
        }
        // The order of an unfolding's columns does not matter, nor whether it is transposed.
        func alongInputs() throws -> Int {
            let tapMajor = TapOrder.tapMajor(kernel.matrix, taps: kernel.taps, pool: pool)
            return try vbmf(outputs * kernel.taps, inputs, tapMajor.elements)
        }
        switch form {
        case .tucker2:
            return [try vbmf(outputs, kernel.patchSize, kernel.elements), try alongInputs()]
        case .lowRank:
            return [try vbmf(outputs, kernel.patchSize, kernel.elements)]
        case .canonicalPolyadic:
            let alongColumns = try vbmf(outputs * inputs * height, width, kernel.elements)
            let rowsLast = try Matrix(rows: outputs * inputs, columns: kernel.taps, elements: kernel.elements)
            let alongRows = try vbmf(
                outputs * inputs * width, height,
                TapOrder.tapMajor(rowsLast, taps: width, pool: pool).elements)
            return [
                try max(
                    vbmf(outputs, kernel.patchSize, kernel.elements), alongInputs(), alongRows, alongColumns)
            ]
        case .spatial:
            let columnsFirst = TapOrder.tapMajor(kernel.matrix, taps: width, pool: pool)
            return [try vbmf(outputs * width, inputs * height, columnsFirst.elements)]
        }
    }
}
