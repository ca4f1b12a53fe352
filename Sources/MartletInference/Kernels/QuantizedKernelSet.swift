import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline
import MartletKernelsVNNI

/// The kernels on images of bytes, built for one instruction set.
///
/// Each is documented where it is written, in `MartletKernelsBaseline/Quantized`.
struct QuantizedKernelSet: Sendable {
    /// Channels of a block, whatever the instruction set.
    static let channelsOfBlock = 16

    /// What the kernels are built for, which must be supported before any of them is called.
    let instructionSet: InstructionSet
    /// Output channels of a vector.
    let lanes: Int
    /// Bytes of a packed weight: 1 or 2.
    let weightBytes: Int
    /// The most that two neighbouring weights may add up to.
    let pairLimit: Int

    /// What products with four bytes cost, in those with a pair of 16 bits: two pairs, one instruction for all, or (measured with
    /// AVX2) what sums in 16 bits take.
    var costOfQuad: Double { weightBytes == 2 ? 2 : pairLimit == .max ? 1 : 1.75 }

    /// The kernels for `instructionSet`.
    init(_ instructionSet: InstructionSet) {
        self.instructionSet = instructionSet
        switch instructionSet {
        case .baseline:
            lanes = MartletKernelsBaseline.quantizedLanes()
            weightBytes = MartletKernelsBaseline.quantizedWeightBytes()
            pairLimit = MartletKernelsBaseline.quantizedPairLimit()
        case .avx2:
            lanes = MartletKernelsAVX2.quantizedLanes()
            weightBytes = MartletKernelsAVX2.quantizedWeightBytes()
            pairLimit = MartletKernelsAVX2.quantizedPairLimit()
        case .avx512:
            lanes = MartletKernelsAVX512.quantizedLanes()
            weightBytes = MartletKernelsAVX512.quantizedWeightBytes()
            pairLimit = MartletKernelsAVX512.quantizedPairLimit()
        case .avx512VNNI:
            lanes = MartletKernelsVNNI.quantizedLanes()
            weightBytes = MartletKernelsVNNI.quantizedWeightBytes()
            pairLimit = MartletKernelsVNNI.quantizedPairLimit()
        }
    }

    /// `convolveQuantizedRows` of the kernels.
    @inline(__always) func convolveQuantizedRows(
        input: UnsafePointer<UInt8>, inputRowStep: Int, inputColumnStep: Int, offsets: UnsafePointer<Int>,
        offsetCount: Int, channels: ChannelsRead, weights: UnsafeRawPointer, vectors: Int, excess: UnsafePointer<Int>?,
        bias: UnsafePointer<Int32>, factors: UnsafePointer<Float>, settings: UnsafePointer<Float>,
        residual: UnsafePointer<UInt8>?, residualRowStep: Int, residualVectorStep: Int,
        output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, outputVectorStep: Int, rows: Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.convolveQuantizedRows
            case .avx2: MartletKernelsAVX2.convolveQuantizedRows
            case .avx512: MartletKernelsAVX512.convolveQuantizedRows
            case .avx512VNNI: MartletKernelsVNNI.convolveQuantizedRows
            }
        kernel(
            input, inputRowStep, inputColumnStep, offsets, offsetCount, channels.lanes,
            channels.wholeCount(of: offsetCount), channels.lastLanes, weights, vectors, excess, bias, factors, settings,
            residual, residualRowStep, residualVectorStep, output, outputRowStep, outputVectorStep,
            rows, columns)
    }

    /// `multiplyQuantizedRow` of the kernels.
    @inline(__always) func multiplyQuantizedRow(
        input: UnsafePointer<UInt8>, quads: Int, weights: UnsafeRawPointer, vectors: Int, excess: UnsafePointer<Int>?,
        sums: UnsafePointer<Int32>, factors: UnsafePointer<Float>, addends: UnsafePointer<Float>,
        output: UnsafeMutablePointer<Float>
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.multiplyQuantizedRow
            case .avx2: MartletKernelsAVX2.multiplyQuantizedRow
            case .avx512: MartletKernelsAVX512.multiplyQuantizedRow
            case .avx512VNNI: MartletKernelsVNNI.multiplyQuantizedRow
            }
        kernel(input, quads, weights, vectors, excess, sums, factors, addends, output)
    }

    /// `depthwiseQuantizedRows` of the kernels.
    @inline(__always) func depthwiseQuantizedRows(
        input: UnsafePointer<UInt8>, inputRowStep: Int, inputColumnStep: Int, offsets: UnsafePointer<Int>,
        offsetCount: Int, weights: UnsafePointer<Int32>, bias: UnsafePointer<Int32>, factors: UnsafePointer<Float>,
        settings: UnsafePointer<Float>, residual: UnsafePointer<UInt8>?, residualRowStep: Int,
        output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, rows: Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.depthwiseQuantizedRows
            case .avx2: MartletKernelsAVX2.depthwiseQuantizedRows
            case .avx512: MartletKernelsAVX512.depthwiseQuantizedRows
            case .avx512VNNI: MartletKernelsVNNI.depthwiseQuantizedRows
            }
        kernel(
            input, inputRowStep, inputColumnStep, offsets, offsetCount, weights, bias, factors, settings, residual,
            residualRowStep, output, outputRowStep, rows, columns)
    }

    /// `maxPoolQuantizedRows` of the kernels.
    @inline(__always) func maxPoolQuantizedRows(
        input: UnsafePointer<UInt8>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
        kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int,
        left: Int, columnMaxima: UnsafeMutablePointer<UInt8>, output: UnsafeMutablePointer<UInt8>, outputRowStep: Int,
        rows: Int, columns: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.maxPoolQuantizedRows
            case .avx2: MartletKernelsAVX2.maxPoolQuantizedRows
            case .avx512: MartletKernelsAVX512.maxPoolQuantizedRows
            case .avx512VNNI: MartletKernelsVNNI.maxPoolQuantizedRows
            }
        kernel(
            input, inputRowStep, inputRows, inputColumns, kernelRows, kernelColumns, rowStride, columnStride,
            rowDilation, columnDilation, top, left, columnMaxima, output, outputRowStep, rows, columns)
    }

    /// `averagePoolQuantizedRows` of the kernels.
    @inline(__always) func averagePoolQuantizedRows(
        input: UnsafePointer<UInt8>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
        kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int,
        left: Int, bottom: Int, right: Int, countsPadding: Bool, output: UnsafeMutablePointer<UInt8>,
        outputRowStep: Int, rows: Int, columns: Int, settings: UnsafePointer<Float>
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.averagePoolQuantizedRows
            case .avx2: MartletKernelsAVX2.averagePoolQuantizedRows
            case .avx512: MartletKernelsAVX512.averagePoolQuantizedRows
            case .avx512VNNI: MartletKernelsVNNI.averagePoolQuantizedRows
            }
        kernel(
            input, inputRowStep, inputRows, inputColumns, kernelRows, kernelColumns, rowStride, columnStride,
            rowDilation, columnDilation, top, left, bottom, right, countsPadding, output, outputRowStep, rows,
            columns, settings)
    }

    /// `addQuantizedRows` of the kernels.
    @inline(__always) func addQuantizedRows(
        _ a: UnsafePointer<UInt8>, aRowStep: Int, _ b: UnsafePointer<UInt8>?, bRowStep: Int,
        output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, rows: Int, columns: Int,
        settings: UnsafePointer<Float>
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.addQuantizedRows
            case .avx2: MartletKernelsAVX2.addQuantizedRows
            case .avx512: MartletKernelsAVX512.addQuantizedRows
            case .avx512VNNI: MartletKernelsVNNI.addQuantizedRows
            }
        kernel(
            a, aRowStep, b, bRowStep, output, outputRowStep, rows, columns, settings)
    }

    /// `quantizeRow` of the kernels.
    @inline(__always) func quantizeRow(
        input: UnsafePointer<Float>, count: Int, output: UnsafeMutablePointer<UInt8>, outputStep: Int, scale: Float,
        minimum: Float, maximum: Float, zeroPoint: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.quantizeRow
            case .avx2: MartletKernelsAVX2.quantizeRow
            case .avx512: MartletKernelsAVX512.quantizeRow
            case .avx512VNNI: MartletKernelsVNNI.quantizeRow
            }
        kernel(
            input, count, output, outputStep, scale, minimum, maximum, zeroPoint)
    }

    /// `quantizePictureRow` of the kernels.
    @inline(__always) func quantizePictureRow(
        input: UnsafePointer<Float>, channelStep: Int, count: Int, output: UnsafeMutablePointer<UInt8>, scale: Float,
        minimum: Float, maximum: Float, zeroPoint: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.quantizePictureRow
            case .avx2: MartletKernelsAVX2.quantizePictureRow
            case .avx512: MartletKernelsAVX512.quantizePictureRow
            case .avx512VNNI: MartletKernelsVNNI.quantizePictureRow
            }
        kernel(input, channelStep, count, output, scale, minimum, maximum, zeroPoint)
    }

    /// `dequantizeRow` of the kernels.
    @inline(__always) func dequantizeRow(
        input: UnsafePointer<UInt8>, inputStep: Int, count: Int, output: UnsafeMutablePointer<Float>, scale: Float,
        zeroPoint: Int
    ) {
        let kernel =
            switch instructionSet {
            case .baseline: MartletKernelsBaseline.dequantizeRow
            case .avx2: MartletKernelsAVX2.dequantizeRow
            case .avx512: MartletKernelsAVX512.dequantizeRow
            case .avx512VNNI: MartletKernelsVNNI.dequantizeRow
            }
        kernel(
            input, inputStep, count, output, scale, zeroPoint)
    }
}
