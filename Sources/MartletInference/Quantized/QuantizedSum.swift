/// The sum of two values of bytes, or one of them brought to another scale or between other bounds.
struct QuantizedSum: Step {
    let a: ByteBlocks
    let b: ByteBlocks?
    let y: ByteBlocks
    /// The settings of `addQuantizedRows`.
    let settings: [Float]
    let kernels: QuantizedKernelSet

    func run(_ context: StepContext) {
        let (a, b, y, kernels, settings) = (a, b, y, kernels, settings)
        context.pool.forEach(y.layout.images * y.layout.blocks) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: y.layout.blocks)
            kernels.addQuantizedRows(
                a.plane(image: image, block: block), aRowStep: a.layout.rowStride,
                b.map { UnsafePointer($0.plane(image: image, block: block)) }, bRowStep: b?.layout.rowStride ?? 0,
                output: y.plane(image: image, block: block), outputRowStep: y.layout.rowStride, rows: y.layout.height,
                columns: y.layout.width, settings: settings)
        }
    }
}

/// Operands of a concatenation copied into its result, those that do not lie there from the beginning; they have its scale.
struct QuantizedConcatenation: Step {
    /// What to copy, and the block of the result where it goes.
    let operands: [(value: ByteBlocks, firstBlock: Int)]
    let y: ByteBlocks

    func run(_ context: StepContext) {
        let y = y
        for operand in operands {
            let x = operand.value
            let bytes = x.layout.width * x.layout.lanes
            context.pool.forEach(x.layout.images * x.layout.blocks) { task in
                let (image, block) = task.quotientAndRemainder(dividingBy: x.layout.blocks)
                let source = x.plane(image: image, block: block)
                let target = y.plane(image: image, block: operand.firstBlock + block)
                for row in 0..<x.layout.height {
                    (target + row * y.layout.rowStride).update(from: source + row * x.layout.rowStride, count: bytes)
                }
            }
        }
    }
}
