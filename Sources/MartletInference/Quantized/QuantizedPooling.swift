import MartletNetworks

/// The maximum or mean of each window, on bytes.
struct QuantizedPooling: Step {
    let x: ByteBlocks
    let y: ByteBlocks
    let window: Window
    let kind: BlockedPooling.Kind
    /// The settings of `averagePoolQuantizedRows`.
    let settings: [Float]
    let kernels: QuantizedKernelSet
    /// Threads there will be.
    let workers: Int

    var scratchBytes: Int { x.layout.width * x.layout.lanes }

    func run(_ context: StepContext) {
        let tasks = RowTasks(images: y.layout.images, height: y.layout.height, workers: workers)
        let step = self
        context.pool.forEach(tasks.count) { task, worker in
            let (image, rows) = tasks.place(of: task)
            for block in 0..<step.y.layout.blocks {
                step.pool(rows, ofImage: image, block: block, context.bytes(worker: worker))
            }
        }
    }

    private func pool(_ part: Range<Int>, ofImage image: Int, block: Int, _ scratch: UnsafeMutablePointer<UInt8>) {
        let rows = window.border(axis: 0, extent: x.layout.height)
        let columns = window.border(axis: 1, extent: x.layout.width)
        let input = x.plane(image: image, block: block)
        let output = y.plane(image: image, block: block) + part.lowerBound * y.layout.rowStride
        // What lies above the part's first window.
        let top = rows.before - part.lowerBound * window.strides[0]
        switch kind {
        case .maximum:
            kernels.maxPoolQuantizedRows(
                input: input, inputRowStep: x.layout.rowStride, inputRows: x.layout.height,
                inputColumns: x.layout.width, kernelRows: window.kernel[0], kernelColumns: window.kernel[1],
                rowStride: window.strides[0], columnStride: window.strides[1], rowDilation: window.dilations[0],
                columnDilation: window.dilations[1], top: top, left: columns.before, columnMaxima: scratch,
                output: output, outputRowStep: y.layout.rowStride, rows: part.count, columns: y.layout.width)
        case .average(let countsPadding):
            kernels.averagePoolQuantizedRows(
                input: input, inputRowStep: x.layout.rowStride, inputRows: x.layout.height,
                inputColumns: x.layout.width, kernelRows: window.kernel[0], kernelColumns: window.kernel[1],
                rowStride: window.strides[0], columnStride: window.strides[1], rowDilation: window.dilations[0],
                columnDilation: window.dilations[1], top: top, left: columns.before, bottom: rows.after,
                right: columns.after, countsPadding: countsPadding, output: output, outputRowStep: y.layout.rowStride,
                rows: part.count, columns: y.layout.width, settings: settings)
        }
    }
}
