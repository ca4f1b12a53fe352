/// A depthwise convolution on blocks by ``SeparableKernels``: down the columns, then along the rows.
struct BlockedSeparableConvolution: Step {
    let operands: BlockedConvolutionOperands
    /// `[blocks][column, then row][3][lanes]`.
    let weights: UnsafePointer<Float>
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int

    var algorithm: String { "separable" }

    func run(_ context: StepContext) {
        let (x, y, residual) = (operands.x, operands.y, operands.residual)
        let (kernels, bias, clamp, weights, start) = (operands.kernels, operands.bias, operands.clamp, weights, start)
        let lanes = kernels.lanes
        let tasks = RowTasks(images: y.layout.images, height: y.layout.height, workers: operands.workers)
        context.pool.forEach(tasks.count) { task in
            let (image, rows) = tasks.place(of: task)
            let firstRow = rows.lowerBound
            for block in 0..<y.layout.blocks {
                kernels.separableRows(
                    input: x.plane(image: image, block: block) + start + firstRow * x.layout.rowStride,
                    inputRowStep: x.layout.rowStride,
                    weights: weights + block * SeparableKernels.weightsOfChannel * lanes, bias: bias + block * lanes,
                    residual: residual.map {
                        UnsafePointer($0.plane(image: image, block: block) + firstRow * $0.layout.rowStride)
                    }, residualRowStep: residual?.layout.rowStride ?? 0,
                    output: y.plane(image: image, block: block) + firstRow * y.layout.rowStride,
                    outputRowStep: y.layout.rowStride, rows: rows.count, columns: y.layout.width,
                    minimum: clamp.minimum, maximum: clamp.maximum)
            }
        }
    }
}
