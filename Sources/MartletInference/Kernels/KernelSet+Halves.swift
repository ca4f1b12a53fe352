import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

extension KernelSet {
    /// Whether the processor widens half precision by an instruction: weights may then stay in it.
    var widensHalves: Bool { instructionSet != .baseline }

    /// `halfDotProducts` of the kernels.
    @inline(__always) func halfDotProducts(
        left: UnsafePointer<Float>, right: UnsafePointer<Float16>, rightCount: Int, length: Int,
        results: UnsafeMutablePointer<Float>, step: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.halfDotProducts
            case .avx2: MartletKernelsAVX2.halfDotProducts
            case .avx512, .avx512VNNI: MartletKernelsAVX512.halfDotProducts
            }
        kernel(left, right, rightCount, length, results, step)
    }

    /// `convolveHalfRows` of the kernels.
    @inline(__always) func convolveHalfRows(
        input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int, offsets: UnsafePointer<Int>,
        offsetCount: Int, lanes: Int, wholeCount: Int, lastLanes: Int, weights: UnsafePointer<Float16>,
        widened: UnsafeMutablePointer<Float>,
        vectors: Int, bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?, residualRowStep: Int,
        residualBlockStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int,
        rows: Int, columns: Int, minimum: Float, maximum: Float
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.convolveHalfRows
            case .avx2: MartletKernelsAVX2.convolveHalfRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.convolveHalfRows
            }
        kernel(
            input, inputRowStep, inputColumnStep, offsets, offsetCount, lanes, wholeCount, lastLanes, weights, widened,
            vectors, bias, residual,
            residualRowStep, residualBlockStep, output, outputRowStep, outputBlockStep, rows, columns, minimum,
            maximum)
    }

    /// `widenHalves` of the kernels.
    @inline(__always) func widenHalves(
        _ halves: UnsafePointer<Float16>, count: Int, into floats: UnsafeMutablePointer<Float>
    ) {
        switch instructionSet {
        case .baseline: MartletKernelsBaseline.widenHalves(halves, count: count, into: floats)
        case .avx2: MartletKernelsAVX2.widenHalves(halves, count: count, into: floats)
        case .avx512, .avx512VNNI: MartletKernelsAVX512.widenHalves(halves, count: count, into: floats)
        }
    }

    /// `narrowToHalves` of the kernels.
    @inline(__always) func narrowToHalves(
        _ floats: UnsafePointer<Float>, count: Int, into halves: UnsafeMutablePointer<Float16>
    ) {
        switch instructionSet {
        case .baseline: MartletKernelsBaseline.narrowToHalves(floats, count: count, into: halves)
        case .avx2: MartletKernelsAVX2.narrowToHalves(floats, count: count, into: halves)
        case .avx512, .avx512VNNI: MartletKernelsAVX512.narrowToHalves(floats, count: count, into: halves)
        }
    }
}
