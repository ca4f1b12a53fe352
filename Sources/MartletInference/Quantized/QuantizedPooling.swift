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

    var scratchBytes: Int { x.layout.width * x.layout.lanes }

    func run(_ context: StepContext) {
        let (x, y, window, kind, kernels, settings) = (x, y, window, kind, kernels, settings)
        let rows = window.border(axis: 0, extent: x.layout.height)
        let columns = window.border(axis: 1, extent: x.layout.width)
        context.pool.forEach(y.layout.images * y.layout.blocks) { task, worker in
            let (image, block) = task.quotientAndRemainder(dividingBy: y.layout.blocks)
            let (input, output) = (x.plane(image: image, block: block), y.plane(image: image, block: block))
            switch kind {
            case .maximum:
                kernels.maxPoolQuantizedRows(
                    input: input, inputRowStep: x.layout.rowStride, inputRows: x.layout.height,
                    inputColumns: x.layout.width, kernelRows: window.kernel[0], kernelColumns: window.kernel[1],
                    rowStride: window.strides[0], columnStride: window.strides[1], rowDilation: window.dilations[0],
                    columnDilation: window.dilations[1], top: rows.before, left: columns.before,
                    columnMaxima: context.bytes(worker: worker), output: output, outputRowStep: y.layout.rowStride,
                    rows: y.layout.height, columns: y.layout.width)
            case .average(let countsPadding):
                kernels.averagePoolQuantizedRows(
                    input: input, inputRowStep: x.layout.rowStride, inputRows: x.layout.height,
                    inputColumns: x.layout.width, kernelRows: window.kernel[0], kernelColumns: window.kernel[1],
                    rowStride: window.strides[0], columnStride: window.strides[1], rowDilation: window.dilations[0],
                    columnDilation: window.dilations[1], top: rows.before, left: columns.before, bottom: rows.after,
                    right: columns.after, countsPadding: countsPadding, output: output,
                    outputRowStep: y.layout.rowStride, rows: y.layout.height, columns: y.layout.width,
                    settings: settings)
            }
        }
    }
}
