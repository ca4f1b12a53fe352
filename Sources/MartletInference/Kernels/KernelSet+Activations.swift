import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

extension KernelSet {
    /// `leakyReluRows` of the kernels.
    @inline(__always) func leakyReluRows(
        input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
        rows:
            Int, columns: Int, slope: Float
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.leakyReluRows
            case .avx2: MartletKernelsAVX2.leakyReluRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.leakyReluRows
            }
        kernel(input, inputRowStep, output, outputRowStep, rows, columns, slope)
    }

    /// `parametricReluRows` of the kernels.
    @inline(__always) func parametricReluRows(
        input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
        rows:
            Int, columns: Int, slopes: UnsafePointer<Float>
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.parametricReluRows
            case .avx2: MartletKernelsAVX2.parametricReluRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.parametricReluRows
            }
        kernel(input, inputRowStep, output, outputRowStep, rows, columns, slopes)
    }

    /// `scaleAndShiftRows` of the kernels.
    @inline(__always) func scaleAndShiftRows(
        input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
        rows:
            Int, columns: Int, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, minimum: Float, maximum: Float
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.scaleAndShiftRows
            case .avx2: MartletKernelsAVX2.scaleAndShiftRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.scaleAndShiftRows
            }
        kernel(input, inputRowStep, output, outputRowStep, rows, columns, scale, shift, minimum, maximum)
    }

    /// `sigmoidRows` of the kernels.
    @inline(__always) func sigmoidRows(
        input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
        rows:
            Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.sigmoidRows
            case .avx2: MartletKernelsAVX2.sigmoidRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.sigmoidRows
            }
        kernel(input, inputRowStep, output, outputRowStep, rows, columns)
    }

    /// `hardSigmoidRows` of the kernels.
    @inline(__always) func hardSigmoidRows(
        input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
        rows:
            Int, columns: Int, alpha: Float, beta: Float
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.hardSigmoidRows
            case .avx2: MartletKernelsAVX2.hardSigmoidRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.hardSigmoidRows
            }
        kernel(input, inputRowStep, output, outputRowStep, rows, columns, alpha, beta)
    }

    /// `hardSwishRows` of the kernels.
    @inline(__always) func hardSwishRows(
        input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
        rows:
            Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.hardSwishRows
            case .avx2: MartletKernelsAVX2.hardSwishRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.hardSwishRows
            }
        kernel(input, inputRowStep, output, outputRowStep, rows, columns)
    }

    /// `hyperbolicTangentRows` of the kernels.
    @inline(__always) func hyperbolicTangentRows(
        input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
        rows:
            Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.hyperbolicTangentRows
            case .avx2: MartletKernelsAVX2.hyperbolicTangentRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.hyperbolicTangentRows
            }
        kernel(input, inputRowStep, output, outputRowStep, rows, columns)
    }
}
