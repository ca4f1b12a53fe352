import MartletNetworks

/// The maximum or mean of each window, on blocks.
struct BlockedPooling: Step {
    enum Kind {
        case maximum
        case average(countsPadding: Bool)
    }

    let x: BlockedValue
    let y: BlockedValue
    let window: Window
    let kind: Kind
    let kernels: KernelSet
    /// Threads there will be.
    let workers: Int

    func run(_ context: StepContext) {
        let tasks = RowTasks(images: y.layout.images, height: y.layout.height, workers: workers)
        let step = self
        context.pool.forEach(tasks.count) { task in
            let (image, rows) = tasks.place(of: task)
            for block in 0..<step.y.layout.blocks { step.pool(rows, ofImage: image, block: block) }
        }
    }

    private func pool(_ part: Range<Int>, ofImage image: Int, block: Int) {
        let rows = window.border(axis: 0, extent: x.layout.height)
        let columns = window.border(axis: 1, extent: x.layout.width)
        let (input, output) = (x.plane(image: image, block: block), y.plane(image: image, block: block))
        switch kind {
        case .maximum:
            kernels.maxPoolRows(
                input: input, inputRowStep: x.layout.rowStride, inputRows: x.layout.height,
                inputColumns: x.layout.width, kernelRows: window.kernel[0], kernelColumns: window.kernel[1],
                rowStride: window.strides[0], columnStride: window.strides[1], rowDilation: window.dilations[0],
                columnDilation: window.dilations[1], top: rows.before, left: columns.before, output: output,
                outputRowStep: y.layout.rowStride, firstRow: part.lowerBound, rows: part.count, columns: y.layout.width)
        case .average(let countsPadding):
            kernels.averagePoolRows(
                input: input, inputRowStep: x.layout.rowStride, inputRows: x.layout.height,
                inputColumns: x.layout.width, kernelRows: window.kernel[0], kernelColumns: window.kernel[1],
                rowStride: window.strides[0], columnStride: window.strides[1], rowDilation: window.dilations[0],
                columnDilation: window.dilations[1], top: rows.before, left: columns.before, bottom: rows.after,
                right: columns.after, countsPadding: countsPadding, output: output, outputRowStep: y.layout.rowStride,
                firstRow: part.lowerBound, rows: part.count, columns: y.layout.width)
        }
    }
}

/// The mean of each channel, from blocks to one number a channel.
struct BlockedGlobalAverage: Step {
    let x: BlockedValue
    /// `[images, channels]`
    let y: UnsafeMutablePointer<Float>
    let kernels: KernelSet

    var scratchBytes: Int { kernels.lanes * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let (x, y, kernels, layout) = (x, y, kernels, x.layout)
        context.pool.forEach(layout.images * layout.blocks) { task, worker in
            let (image, block) = task.quotientAndRemainder(dividingBy: layout.blocks)
            let means = context.floats(worker: worker)
            kernels.globalAverageRows(
                input: x.plane(image: image, block: block), inputRowStep: layout.rowStride, rows: layout.height,
                columns: layout.width, output: means)
            let first = block * layout.lanes
            for lane in 0..<min(layout.lanes, layout.channels - first) {
                y[image * layout.channels + first + lane] = means[lane]
            }
        }
    }
}

/// Local response normalisation across channels, on blocks.
struct BlockedResponseNormalization: Step {
    let x: BlockedValue
    let y: BlockedValue
    let normalization: LocalResponseNormalization
    let kernels: KernelSet

    var scratchBytes: Int {
        8 * (x.layout.channels + normalization.size + 2 * kernels.lanes) * MemoryLayout<Float>.stride
    }

    func run(_ context: StepContext) {
        let (x, y, normalization, kernels, layout) = (x, y, normalization, kernels, x.layout)
        context.pool.forEach(layout.images * layout.height) { task, worker in
            let (image, row) = task.quotientAndRemainder(dividingBy: layout.height)
            kernels.localResponseNormalizationRows(
                input: x.plane(image: image, block: 0) + row * layout.rowStride, inputBlockStep: layout.blockStride,
                inputRowStep: layout.rowStride, output: y.plane(image: image, block: 0) + row * y.layout.rowStride,
                outputBlockStep: y.layout.blockStride, outputRowStep: y.layout.rowStride, channels: layout.channels,
                rows: 1, columns: layout.width, size: normalization.size, alpha: normalization.alpha,
                beta: normalization.beta, bias: normalization.bias, scratch: context.floats(worker: worker))
        }
    }
}
