import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

extension KernelSet {
    /// `winogradInput` of the kernels.
    @inline(__always) func winogradInput(
        _ tile: WinogradTile, input: UnsafePointer<Float>, inputRowStep: Int, tilesPerRow: Int, firstTile: Int,
        tileCount: Int, output: UnsafeMutablePointer<Float>, positionStep: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.winogradInput
            case .avx2: MartletKernelsAVX2.winogradInput
            case .avx512, .avx512VNNI: MartletKernelsAVX512.winogradInput
            }
        kernel(
            tile.points, input, inputRowStep, tile.size * tile.stride, tilesPerRow, firstTile, tileCount, output,
            positionStep)
    }

    /// `winogradOutput` of the kernels.
    @inline(__always) func winogradOutput(
        _ tile: WinogradTile, products: UnsafePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int,
        tileCount: Int, bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?, residualRowStep: Int,
        output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputRows: Int, outputColumns: Int, minimum: Float,
        maximum: Float
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.winogradOutput
            case .avx2: MartletKernelsAVX2.winogradOutput
            case .avx512, .avx512VNNI: MartletKernelsAVX512.winogradOutput
            }
        kernel(
            tile.size, tile.points, products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual,
            residualRowStep, output, outputRowStep, outputRows, outputColumns, minimum, maximum)
    }
}
