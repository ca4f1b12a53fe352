import MartletNetworks

/// What the convolutions on blocks have in common.
struct BlockedConvolutionOperands {
    let x: BlockedValue
    let y: BlockedValue
    let residual: BlockedValue?
    /// `[blocks][lanes]`, zero past the last channel.
    let bias: UnsafePointer<Float>
    let clamp: ClampBounds
    let kernels: KernelSet
    /// Threads there will be. The work is cut for them; the bits are the same however it is cut.
    let workers: Int
}

/// A direct convolution on blocks: any window of two axes, one group.
///
/// Cost: `outputs * inputs * taps` multiply-adds a pixel, outputs rounded up to a whole block; nothing is copied.
struct BlockedConvolution: Step {
    let operands: BlockedConvolutionOperands
    /// `[pairs][input blocks][taps][channels of the block][vectors][lanes]`.
    let weights: WeightPanels
    /// What tap of which input block, in floats from what tap 0 of block 0 sees.
    let offsets: [Int]
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int
    let strides: (row: Int, column: Int)

    var algorithm: String { "direct" }

    /// Without a border the rows are one.
    private var isFlat: Bool {
        operands.x.layout.border.isEmpty && operands.y.layout.border.isEmpty
            && offsets.count == operands.x.layout.blocks && strides.row == 1 && strides.column == 1
            && (operands.residual?.layout.border.isEmpty ?? true)
    }

    private var pairs: Int { (operands.y.layout.blocks + 1) / 2 }
    /// The weights of a pair of output blocks.
    private var pairWeights: Int { products * 2 * operands.kernels.lanes }
    /// Multiply-adds of vectors for a pixel and an output block.
    private var products: Int { channels.total(of: offsets.count) }
    private var channels: ChannelsRead {
        ChannelsRead(operands.x.layout.channels, blockLanes: operands.x.layout.lanes)
    }

    var scratchBytes: Int { weights.scratch(pairWeights) * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let (x, y, residual, kernels, clamp) = (
            operands.x, operands.y, operands.residual, operands.kernels, operands.clamp
        )
        let (lanes, pairs, isFlat) = (kernels.lanes, pairs, isFlat)
        let width = y.layout.width
        let tasks = ConvolutionTasks(
            images: y.layout.images, height: y.layout.height, width: width, isFlat: isFlat,
            products: products * y.layout.blocks, pairs: pairs,
            weightBytes: pairs * pairWeights * MemoryLayout<Float>.stride, workers: operands.workers)
        let pairWeights = pairWeights
        let inputRowStep = x.layout.rowStride * strides.row
        let inputColumnStep = x.layout.lanes * strides.column
        let (bias, weights, start, channels) = (operands.bias, weights, start, channels)
        offsets.withUnsafeBufferPointer { offsets in
            guard let table = offsets.baseAddress else { return }
            context.pool.forEach(tasks.count) { task, worker in
                let (image, pairs, rows) = tasks.place(of: task)
                let firstRow = rows.lowerBound
                for pair in pairs {
                    let addend = residual.map {
                        UnsafePointer($0.plane(image: image, block: 2 * pair) + firstRow * $0.layout.rowStride)
                    }
                    kernels.convolveRows(
                        input: x.plane(image: image, block: 0) + start + firstRow * inputRowStep,
                        inputRowStep: inputRowStep, inputColumnStep: inputColumnStep, offsets: table,
                        offsetCount: offsets.count, channels: channels, weights: weights, place: pair * pairWeights,
                        widened: context.floats(worker: worker), vectors: min(2, y.layout.blocks - 2 * pair),
                        bias: bias + 2 * pair * lanes, residual: addend,
                        residualRowStep: residual?.layout.rowStride ?? 0,
                        residualBlockStep: residual?.layout.blockStride ?? 0,
                        output: y.plane(image: image, block: 2 * pair) + firstRow * y.layout.rowStride,
                        outputRowStep: y.layout.rowStride, outputBlockStep: y.layout.blockStride,
                        rows: isFlat ? 1 : rows.count, columns: isFlat ? rows.count * width : width,
                        minimum: clamp.minimum,
                        maximum: clamp.maximum)
                }
            }
        }
    }
}
