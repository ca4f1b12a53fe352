import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

extension KernelSet {
    /// `strassenInputs` of the kernels.
    @inline(__always) func strassenInputs(
        input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int, channelStep: Int, bottomStep: Int,
        rows: Int, columns: Int, bottomColumns: Int, sums: UnsafeMutablePointer<Float>, sumStep: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.strassenInputs
            case .avx2: MartletKernelsAVX2.strassenInputs
            case .avx512, .avx512VNNI: MartletKernelsAVX512.strassenInputs
            }
        kernel(
            input, inputRowStep, inputColumnStep, channelStep, bottomStep, rows, columns, bottomColumns, sums, sumStep)
    }

    /// `strassenOutputs` of the kernels.
    @inline(__always) func strassenOutputs(
        products: UnsafePointer<Float>, productStep: Int, bias: UnsafePointer<Float>, biasStep: Int,
        residual: UnsafePointer<Float>?, residualChannelStep: Int, residualBottomStep: Int,
        output: UnsafeMutablePointer<Float>, channelStep: Int, bottomStep: Int, count: Int, isTopAlone: Bool,
        minimum: Float, maximum: Float
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.strassenOutputs
            case .avx2: MartletKernelsAVX2.strassenOutputs
            case .avx512, .avx512VNNI: MartletKernelsAVX512.strassenOutputs
            }
        kernel(
            products, productStep, bias, biasStep, residual, residualChannelStep, residualBottomStep, output,
            channelStep, bottomStep, count, isTopAlone, minimum, maximum)
    }
}
