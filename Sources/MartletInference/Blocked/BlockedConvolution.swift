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
}

/// A direct convolution on blocks: any window of two axes, one group.
///
/// Cost: `outputs * inputs * taps` multiply-adds a pixel, both rounded up to whole blocks; nothing is copied.
struct BlockedConvolution: Step {
    let operands: BlockedConvolutionOperands
    /// `[pairs][inputBlocks][taps][lanes][vectors][lanes]`.
    let weights: UnsafePointer<Float>
    /// What tap of which input block, in floats from what tap 0 of block 0 sees.
    let offsets: [Int]
    /// Channels read at each offset.
    let inputLanes: Int
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int
    let strides: (row: Int, column: Int)
    /// Rows of the output that one task computes.
    let rowsOfTask: Int

    var algorithm: String { "direct" }

    func run(_ context: StepContext) {
        let (x, y) = (operands.x, operands.y)
        let lanes = operands.kernels.lanes
        let blocks = y.layout.blocks
        let pairs = (blocks + 1) / 2
        // Without a border the rows are one.
        let isFlat =
            x.layout.border.isEmpty && y.layout.border.isEmpty && offsets.count == x.layout.blocks
            && strides.row == 1 && strides.column == 1 && (operands.residual?.layout.border.isEmpty ?? true)
        let (height, width) = isFlat ? (1, y.layout.height * y.layout.width) : (y.layout.height, y.layout.width)
        let rows = isFlat ? 1 : rowsOfTask
        let parts = isFlat ? max(1, (width + 895) / 896) : (height + rows - 1) / rows
        let pairWeights = offsets.count * inputLanes * 2 * lanes
        let inputRowStep = x.layout.rowStride * strides.row
        let inputColumnStep = x.layout.lanes * strides.column
        let residual = operands.residual
        let (kernels, bias, clamp, weights, start) = (operands.kernels, operands.bias, operands.clamp, weights, start)
        let inputLanes = inputLanes
        offsets.withUnsafeBufferPointer { offsets in
            guard let table = offsets.baseAddress else { return }
            context.pool.forEach(y.layout.images * pairs * parts) { task in
                let (rest, part) = task.quotientAndRemainder(dividingBy: parts)
                let (image, pair) = rest.quotientAndRemainder(dividingBy: pairs)
                let vectors = min(2, blocks - 2 * pair)
                let firstRow = isFlat ? 0 : part * rows
                let firstColumn = isFlat ? part * 896 : 0
                let rowCount = isFlat ? 1 : min(rows, height - firstRow)
                let columnCount = isFlat ? min(896, width - firstColumn) : width
                let input =
                    x.plane(image: image, block: 0) + start + firstRow * inputRowStep + firstColumn * inputColumnStep
                let output =
                    y.plane(image: image, block: 2 * pair) + firstRow * y.layout.rowStride + firstColumn * lanes
                let addend = residual.map {
                    UnsafePointer(
                        $0.plane(image: image, block: 2 * pair) + firstRow * $0.layout.rowStride + firstColumn * lanes)
                }
                kernels.convolveRows(
                    input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep, offsets: table,
                    offsetCount: offsets.count, lanes: inputLanes, weights: weights + pair * pairWeights,
                    vectors: vectors, bias: bias + 2 * pair * lanes, residual: addend,
                    residualRowStep: residual?.layout.rowStride ?? 0,
                    residualBlockStep: residual?.layout.blockStride ?? 0, output: output,
                    outputRowStep: y.layout.rowStride, outputBlockStep: y.layout.blockStride, rows: rowCount,
                    columns: columnCount, minimum: clamp.minimum, maximum: clamp.maximum)
            }
        }
    }
}
