import MartletNetworks

/// What the convolutions on bytes have in common.
struct QuantizedConvolutionOperands {
    let x: ByteBlocks
    let y: ByteBlocks
    let residual: ByteBlocks?
    /// `[blocks][16]`, the effect of the input's zero point included.
    let bias: UnsafePointer<Int32>
    /// `[blocks][16]`: what a sum is multiplied with.
    let factors: UnsafePointer<Float>
    /// How it is rounded.
    let settings: [Float]
    let kernels: QuantizedKernelSet
    /// Threads there will be. The work is cut for them; the bits are the same however it is cut.
    let workers: Int

    /// Vectors of a block of channels.
    var vectorsOfBlock: Int { QuantizedKernelSet.channelsOfBlock / kernels.lanes }

    /// Bytes from the first channel of the output to those of a vector.
    func place(ofVector vector: Int, in layout: BlockedLayout) -> Int {
        let (block, part) = vector.quotientAndRemainder(dividingBy: vectorsOfBlock)
        return block * layout.blockStride + part * kernels.lanes
    }
}

/// A direct convolution on bytes: any window of two axes, one group.
///
/// Cost: `outputs * inputs * taps` multiply-adds a pixel, outputs rounded up to a whole block and inputs to four; nothing is
/// copied.
struct QuantizedConvolution: Step {
    let operands: QuantizedConvolutionOperands
    let weights: PackedQuads
    /// What tap, or run of taps, of which input block, in bytes from what tap 0 of block 0 sees.
    let offsets: [Int]
    /// Bytes read at each offset, in fours.
    let fours: ChannelsRead
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int
    let strides: (row: Int, column: Int)

    var algorithm: String { "8-bit" }

    /// Without a border the rows are one.
    private var isFlat: Bool {
        operands.x.layout.border.isEmpty && operands.y.layout.border.isEmpty
            && offsets.count == operands.x.layout.blocks && operands.x.layout.width == operands.y.layout.width
            && strides.row == 1 && strides.column == 1
            && (operands.residual?.layout.border.isEmpty ?? true)
    }

    func run(_ context: StepContext) {
        let (operands, kernels, fours, start, isFlat) = (operands, operands.kernels, fours, start, isFlat)
        let (x, y, residual) = (operands.x, operands.y, operands.residual)
        let (bias, factors, weights) = (operands.bias, operands.factors, weights)
        let width = y.layout.width
        let vectors = y.layout.blocks * operands.vectorsOfBlock
        let pairs = (vectors + 1) / 2
        let quads = fours.total(of: offsets.count)
        let weightBytes = quads * 4 * kernels.weightBytes * vectors * kernels.lanes
        let tasks = ConvolutionTasks(
            images: y.layout.images, height: y.layout.height, width: width, isFlat: isFlat,
            products: quads * vectors, pairs: pairs, weightBytes: weightBytes,
            workers: operands.workers)
        let inputRowStep = x.layout.rowStride * strides.row
        let inputColumnStep = x.layout.lanes * strides.column
        offsets.withUnsafeBufferPointer { offsets in
            operands.settings.withUnsafeBufferPointer { settings in
                guard let table = offsets.baseAddress, let settings = settings.baseAddress else { return }
                context.pool.forEach(tasks.count) { task in
                    let (image, pairs, rows) = tasks.place(of: task)
                    let firstRow = rows.lowerBound
                    for pair in pairs {
                        let vector = 2 * pair
                        let place = operands.place(ofVector: vector, in: y.layout)
                        let vectorStep = operands.place(ofVector: vector + 1, in: y.layout) - place
                        var addend: UnsafePointer<UInt8>?
                        var addendStep = 0
                        if let residual {
                            let first = operands.place(ofVector: vector, in: residual.layout)
                            addend = UnsafePointer(
                                residual.plane(image: image, block: 0) + first + firstRow * residual.layout.rowStride)
                            addendStep = operands.place(ofVector: vector + 1, in: residual.layout) - first
                        }
                        kernels.convolveQuantizedRows(
                            input: x.plane(image: image, block: 0) + start + firstRow * inputRowStep,
                            inputRowStep: inputRowStep, inputColumnStep: inputColumnStep, offsets: table,
                            offsetCount: offsets.count, channels: fours, weights: weights.weights(ofPair: pair),
                            vectors: min(2, vectors - vector), excess: weights.excess(ofPair: pair),
                            bias: bias + vector * kernels.lanes, factors: factors + vector * kernels.lanes,
                            settings: settings, residual: addend,
                            residualRowStep: residual?.layout.rowStride ?? 0, residualVectorStep: addendStep,
                            output: y.plane(image: image, block: 0) + place + firstRow * y.layout.rowStride,
                            outputRowStep: y.layout.rowStride, outputVectorStep: vectorStep,
                            rows: isFlat ? 1 : rows.count,
                            columns: isFlat ? rows.count * width : width)
                    }
                }
            }
        }
    }
}

/// A convolution on bytes in which every output sees one channel alone.
struct QuantizedDepthwiseConvolution: Step {
    let operands: QuantizedConvolutionOperands
    /// `[vectors][taps][lanes]`.
    let weights: UnsafePointer<Int32>
    /// Bytes from what tap 0 sees.
    let offsets: [Int]
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int
    let strides: (row: Int, column: Int)

    var algorithm: String { "8-bit depthwise" }

    func run(_ context: StepContext) {
        let (operands, kernels, start, strides, weights) = (operands, operands.kernels, start, strides, weights)
        let (x, y, residual) = (operands.x, operands.y, operands.residual)
        let tasks = RowTasks(images: y.layout.images, height: y.layout.height, workers: operands.workers)
        offsets.withUnsafeBufferPointer { offsets in
            operands.settings.withUnsafeBufferPointer { settings in
                guard let table = offsets.baseAddress, let settings = settings.baseAddress else { return }
                context.pool.forEach(tasks.count) { task in
                    let (image, rows) = tasks.place(of: task)
                    let first = rows.lowerBound
                    for vector in 0..<y.layout.blocks * operands.vectorsOfBlock {
                        let (block, part) = vector.quotientAndRemainder(dividingBy: operands.vectorsOfBlock)
                        let (channel, lane) = (vector * kernels.lanes, part * kernels.lanes)
                        kernels.depthwiseQuantizedRows(
                            input: x.plane(image: image, block: block) + start + lane
                                + first * strides.row * x.layout.rowStride,
                            inputRowStep: x.layout.rowStride * strides.row,
                            inputColumnStep: x.layout.lanes * strides.column, offsets: table,
                            offsetCount: offsets.count, weights: weights + channel * offsets.count,
                            bias: operands.bias + channel, factors: operands.factors + channel, settings: settings,
                            residual: residual.map {
                                UnsafePointer($0.plane(image: image, block: block) + lane + first * $0.layout.rowStride)
                            },
                            residualRowStep: residual?.layout.rowStride ?? 0,
                            output: y.plane(image: image, block: block) + lane + first * y.layout.rowStride,
                            outputRowStep: y.layout.rowStride, rows: rows.count, columns: y.layout.width)
                    }
                }
            }
        }
    }
}
