import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

extension KernelSet {
    /// `maxPoolRows` of the kernels.
    @inline(__always) func maxPoolRows(
        input: UnsafePointer<Float>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
        kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int,
        left: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int, firstRow: Int, rows: Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.maxPoolRows
            case .avx2: MartletKernelsAVX2.maxPoolRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.maxPoolRows
            }
        kernel(
            input, inputRowStep, inputRows, inputColumns, kernelRows, kernelColumns, rowStride, columnStride,
            rowDilation, columnDilation, top, left, output, outputRowStep, firstRow, rows, columns)
    }

    /// `averagePoolRows` of the kernels.
    @inline(__always) func averagePoolRows(
        input: UnsafePointer<Float>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
        kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int,
        left: Int, bottom: Int, right: Int, countsPadding: Bool, output: UnsafeMutablePointer<Float>,
        outputRowStep: Int,
        firstRow: Int, rows: Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.averagePoolRows
            case .avx2: MartletKernelsAVX2.averagePoolRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.averagePoolRows
            }
        kernel(
            input, inputRowStep, inputRows, inputColumns, kernelRows, kernelColumns, rowStride, columnStride,
            rowDilation, columnDilation, top, left, bottom, right, countsPadding, output, outputRowStep, firstRow,
            rows, columns)
    }

    /// `globalAverageRows` of the kernels.
    @inline(__always) func globalAverageRows(
        input: UnsafePointer<Float>, inputRowStep: Int, rows: Int, columns: Int, output: UnsafeMutablePointer<Float>
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.globalAverageRows
            case .avx2: MartletKernelsAVX2.globalAverageRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.globalAverageRows
            }
        kernel(input, inputRowStep, rows, columns, output)
    }

    /// `localResponseNormalizationRows` of the kernels.
    @inline(__always) func localResponseNormalizationRows(
        input: UnsafePointer<Float>, inputBlockStep: Int, inputRowStep: Int, output: UnsafeMutablePointer<Float>,
        outputBlockStep: Int, outputRowStep: Int, channels: Int, rows: Int, columns: Int, size: Int, alpha: Float,
        beta: Float, bias: Float, scratch: UnsafeMutablePointer<Float>
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.localResponseNormalizationRows
            case .avx2: MartletKernelsAVX2.localResponseNormalizationRows
            case .avx512, .avx512VNNI: MartletKernelsAVX512.localResponseNormalizationRows
            }
        kernel(
            input, inputBlockStep, inputRowStep, output, outputBlockStep, outputRowStep, channels, rows, columns,
            size, alpha, beta, bias, scratch)
    }
}
