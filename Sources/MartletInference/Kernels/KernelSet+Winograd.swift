import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

extension KernelSet {
    /// `winogradInput2` or `winogradInput4` of the kernels.
    @inline(__always) func winogradInput(
        _ tile: WinogradTile, input: UnsafePointer<Float>, inputRowStep: Int, tilesPerRow: Int, firstTile: Int,
        tileCount: Int, output: UnsafeMutablePointer<Float>, positionStep: Int
    ) {
        let kernel =
            switch (instructionSet, tile) {
            case (.baseline, .two): MartletKernelsBaseline.winogradInput2
            case (.baseline, .four): MartletKernelsBaseline.winogradInput4
            case (.avx2, .two): MartletKernelsAVX2.winogradInput2
            case (.avx2, .four): MartletKernelsAVX2.winogradInput4
            case (.avx512, .two): MartletKernelsAVX512.winogradInput2
            case (.avx512, .four): MartletKernelsAVX512.winogradInput4
            }
        kernel(input, inputRowStep, tilesPerRow, firstTile, tileCount, output, positionStep)
    }

    /// `winogradOutput2` or `winogradOutput4` of the kernels.
    @inline(__always) func winogradOutput(
        _ tile: WinogradTile, products: UnsafePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int,
        tileCount: Int, bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?, residualRowStep: Int,
        output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputRows: Int, outputColumns: Int, minimum: Float,
        maximum: Float
    ) {
        let kernel =
            switch (instructionSet, tile) {
            case (.baseline, .two): MartletKernelsBaseline.winogradOutput2
            case (.baseline, .four): MartletKernelsBaseline.winogradOutput4
            case (.avx2, .two): MartletKernelsAVX2.winogradOutput2
            case (.avx2, .four): MartletKernelsAVX2.winogradOutput4
            case (.avx512, .two): MartletKernelsAVX512.winogradOutput2
            case (.avx512, .four): MartletKernelsAVX512.winogradOutput4
            }
        kernel(
            products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual, residualRowStep, output,
            outputRowStep, outputRows, outputColumns, minimum, maximum)
    }
}
