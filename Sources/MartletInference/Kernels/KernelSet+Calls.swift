import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

// The kernels with their argument labels: function values have none.

extension KernelSet {
    /// `convolveRows` of the kernels.
    @inline(__always) func convolveRows(
        input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int, offsets: UnsafePointer<Int>,
        offsetCount: Int, lanes: Int, wholeCount: Int, lastLanes: Int, weights: UnsafePointer<Float>, vectors: Int,
        bias: UnsafePointer<Float>,
        residual: UnsafePointer<Float>?, residualRowStep: Int, residualBlockStep: Int,
        output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int, rows: Int, columns: Int,
        minimum: Float, maximum: Float
    ) {
        convolveRows(
            input, inputRowStep, inputColumnStep, offsets, offsetCount, lanes, wholeCount, lastLanes, weights, vectors,
            bias, residual,
            residualRowStep, residualBlockStep, output, outputRowStep, outputBlockStep, rows, columns, minimum,
            maximum)
    }

    /// `depthwiseRows` of the kernels.
    @inline(__always) func depthwiseRows(
        input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int, offsets: UnsafePointer<Int>,
        offsetCount: Int, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?,
        residualRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int, rows: Int, columns: Int,
        minimum: Float, maximum: Float
    ) {
        depthwiseRows(
            input, inputRowStep, inputColumnStep, offsets, offsetCount, weights, bias, residual, residualRowStep,
            output, outputRowStep, rows, columns, minimum, maximum)
    }

    /// `separableRows` of the kernels.
    @inline(__always) func separableRows(
        input: UnsafePointer<Float>, inputRowStep: Int, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        residual: UnsafePointer<Float>?, residualRowStep: Int, output: UnsafeMutablePointer<Float>,
        outputRowStep: Int, rows: Int, columns: Int, minimum: Float, maximum: Float
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.separableRows
            case .avx2: MartletKernelsAVX2.separableRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.separableRows
            }
        kernel(
            input, inputRowStep, weights, bias, residual, residualRowStep, output, outputRowStep, rows, columns,
            minimum, maximum)
    }

    /// `addRows` of the kernels.
    @inline(__always) func addRows(
        _ a: UnsafePointer<Float>, aRowStep: Int, _ b: UnsafePointer<Float>, bRowStep: Int,
        output: UnsafeMutablePointer<Float>, outputRowStep: Int, rows: Int, columns: Int, minimum: Float,
        maximum: Float
    ) {
        addRows(
            a, aRowStep, b, bRowStep, output, outputRowStep, rows, columns, minimum, maximum)
    }

    /// `fillBorder` of the kernels.
    @inline(__always) func fillBorder(
        _ plane: UnsafeMutablePointer<Float>, pixelStep: Int, rows: Int, columns: Int, top: Int, left: Int,
        bottom: Int, right: Int
    ) {
        fillBorder(
            plane, pixelStep, rows, columns, top, left, bottom, right)
    }

    /// `planarToBlocked` of the kernels.
    @inline(__always) func planarToBlocked(
        input: UnsafePointer<Float>, inputChannelStep: Int, inputRowStep: Int, output: UnsafeMutablePointer<Float>,
        outputBlockStep: Int, outputRowStep: Int, pixelStep: Int, channels: Int, rows: Int, columns: Int
    ) {
        planarToBlocked(
            input, inputChannelStep, inputRowStep, output, outputBlockStep, outputRowStep, pixelStep, channels, rows,
            columns)
    }

    /// `blockedToPlanar` of the kernels.
    @inline(__always) func blockedToPlanar(
        input: UnsafePointer<Float>, inputBlockStep: Int, inputRowStep: Int, pixelStep: Int,
        output: UnsafeMutablePointer<Float>, outputChannelStep: Int, outputRowStep: Int, channels: Int, rows: Int,
        columns: Int
    ) {
        blockedToPlanar(
            input, inputBlockStep, inputRowStep, pixelStep, output, outputChannelStep, outputRowStep, channels, rows,
            columns)
    }

    /// `foldRow` of the kernels.
    @inline(__always) func foldRow(
        input: UnsafePointer<Float>, inputChannelStep: Int, inputRows: Int, inputColumns: Int, channels: Int,
        stride: Int, firstRow: Int, firstColumn: Int, output: UnsafeMutablePointer<Float>, outputBlockStep: Int,
        columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.foldRow
            case .avx2: MartletKernelsAVX2.foldRow
            case .avx512, .avx512VNNI: MartletKernelsAVX512.foldRow
            }
        kernel(
            input, inputChannelStep, inputRows, inputColumns, channels, stride, firstRow, firstColumn, output,
            outputBlockStep, columns)
    }

    /// `dotProducts` of the kernels.
    @inline(__always) func dotProducts(
        left: UnsafePointer<Float>, leftCount: Int, leftStride: Int, right: UnsafePointer<Float>, rightCount: Int,
        rightStride: Int, length: Int, results: UnsafeMutablePointer<Float>, leftStep: Int, rightStep: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.dotProducts
            case .avx2: MartletKernelsAVX2.dotProducts
            case .avx512, .avx512VNNI: MartletKernelsAVX512.dotProducts
            }
        kernel(
            left, leftCount, leftStride, right, rightCount, rightStride, length, results, leftStep, rightStep)
    }

    /// `multiplyAddRounds` of the kernels.
    func multiplyAddRounds(_ rounds: Int) -> Float {
        switch instructionSet {
        case .baseline: MartletKernelsBaseline.multiplyAddRounds(rounds)
        case .avx2: MartletKernelsAVX2.multiplyAddRounds(rounds)
        case .avx512, .avx512VNNI: MartletKernelsAVX512.multiplyAddRounds(rounds)
        }
    }

    /// `readFloats` of the kernels.
    func readFloats(_ floats: UnsafePointer<Float>, count: Int) -> Float {
        switch instructionSet {
        case .baseline: MartletKernelsBaseline.readFloats(floats, count: count)
        case .avx2: MartletKernelsAVX2.readFloats(floats, count: count)
        case .avx512, .avx512VNNI: MartletKernelsAVX512.readFloats(floats, count: count)
        }
    }
}
