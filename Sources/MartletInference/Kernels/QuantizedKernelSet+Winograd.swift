import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline
import MartletKernelsVNNI

extension QuantizedKernelSet {
    /// `multiplyPairs` of the kernels.
    @inline(__always) func multiplyPairs(
        input: UnsafePointer<UInt8>, inputColumnStep: Int, offsets: UnsafePointer<Int>, offsetCount: Int,
        channels: ChannelsRead, weights: UnsafeRawPointer, vectors: Int, factors: UnsafePointer<Float>,
        output: UnsafeMutablePointer<Float>,
        outputVectorStep: Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.multiplyPairs
            case .avx2: MartletKernelsAVX2.multiplyPairs
            case .avx512: MartletKernelsAVX512.multiplyPairs
            case .avx512VNNI: MartletKernelsVNNI.multiplyPairs
            }
        kernel(
            input, inputColumnStep, offsets, offsetCount, channels.lanes, channels.wholeCount(of: offsetCount),
            channels.lastLanes, weights, vectors, factors, output, outputVectorStep, columns)
    }

    /// `winogradQuantizedInput` of the kernels.
    @inline(__always) func winogradQuantizedInput(
        input: UnsafePointer<UInt8>, inputRowStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
        output: UnsafeMutablePointer<UInt8>, positionStep: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.winogradQuantizedInput
            case .avx2: MartletKernelsAVX2.winogradQuantizedInput
            case .avx512: MartletKernelsAVX512.winogradQuantizedInput
            case .avx512VNNI: MartletKernelsVNNI.winogradQuantizedInput
            }
        kernel(
            input, inputRowStep, tilesPerRow, firstTile, tileCount, output, positionStep)
    }

    /// `winogradQuantizedOutput` of the kernels.
    @inline(__always) func winogradQuantizedOutput(
        products: UnsafeMutablePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
        bias: UnsafePointer<Float>, settings: UnsafePointer<Float>, residual: UnsafePointer<UInt8>?,
        residualRowStep: Int, output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, outputRows: Int,
        outputColumns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.winogradQuantizedOutput
            case .avx2: MartletKernelsAVX2.winogradQuantizedOutput
            case .avx512: MartletKernelsAVX512.winogradQuantizedOutput
            case .avx512VNNI: MartletKernelsVNNI.winogradQuantizedOutput
            }
        kernel(
            products, positionStep, tilesPerRow, firstTile, tileCount, bias, settings, residual, residualRowStep,
            output, outputRowStep, outputRows, outputColumns)
    }
}
