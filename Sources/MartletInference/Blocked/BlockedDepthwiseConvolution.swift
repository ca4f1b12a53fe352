/// A convolution on blocks in which every output sees one channel alone.
struct BlockedDepthwiseConvolution: Step {
    let operands: BlockedConvolutionOperands
    /// `[blocks][taps][lanes]`.
    let weights: UnsafePointer<Float>
    /// Floats from what tap 0 sees.
    let offsets: [Int]
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int
    let strides: (row: Int, column: Int)

    var algorithm: String { "depthwise" }

    func run(_ context: StepContext) {
        let (x, y, residual) = (operands.x, operands.y, operands.residual)
        let (kernels, bias, clamp, weights, start, strides) = (
            operands.kernels, operands.bias, operands.clamp, weights, start, strides
        )
        let lanes = kernels.lanes
        let tasks = RowTasks(images: y.layout.images, height: y.layout.height, workers: operands.workers)
        offsets.withUnsafeBufferPointer { offsets in
            guard let table = offsets.baseAddress else { return }
            context.pool.forEach(tasks.count) { task in
                let (image, rows) = tasks.place(of: task)
                let inputRowStep = x.layout.rowStride * strides.row
                for block in 0..<y.layout.blocks {
                    kernels.depthwiseRows(
                        input: x.plane(image: image, block: block) + start + rows.lowerBound * inputRowStep,
                        inputRowStep: inputRowStep, inputColumnStep: lanes * strides.column, offsets: table,
                        offsetCount: offsets.count, weights: weights + block * offsets.count * lanes,
                        bias: bias + block * lanes,
                        residual: residual.map {
                            UnsafePointer($0.plane(image: image, block: block) + rows.lowerBound * $0.layout.rowStride)
                        }, residualRowStep: residual?.layout.rowStride ?? 0,
                        output: y.plane(image: image, block: block) + rows.lowerBound * y.layout.rowStride,
                        outputRowStep: y.layout.rowStride, rows: rows.count, columns: y.layout.width,
                        minimum: clamp.minimum, maximum: clamp.maximum)
                }
            }
        }
    }
}
