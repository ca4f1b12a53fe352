import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

/// A value copied from rows of pixels into blocks of channels.
struct ToBlocks: Step {
    let x: PlanarInput
    let y: BlockedValue
    let kernels: KernelSet

    func run(_ context: StepContext) {
        let (x, y, kernels) = (x.base, y, kernels)
        let (layout, lanes) = (y.layout, y.layout.lanes)
        let pixels = layout.height * layout.width
        context.pool.forEach(layout.images * layout.blocks) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: layout.blocks)
            kernels.planarToBlocked(
                input: x + (image * layout.channels + block * lanes) * pixels, inputChannelStep: pixels,
                inputRowStep: layout.width, output: y.plane(image: image, block: block),
                outputBlockStep: layout.blockStride, outputRowStep: layout.rowStride, pixelStep: lanes,
                channels: min(lanes, layout.channels - block * lanes), rows: layout.height, columns: layout.width)
        }
    }
}

/// A value copied from blocks of channels into rows of pixels.
struct ToPlanes: Step {
    let x: BlockedValue
    let y: UnsafeMutablePointer<Float>
    let kernels: KernelSet

    func run(_ context: StepContext) {
        let (x, y, kernels) = (x, y, kernels)
        let (layout, lanes) = (x.layout, x.layout.lanes)
        let pixels = layout.height * layout.width
        context.pool.forEach(layout.images * layout.blocks) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: layout.blocks)
            kernels.blockedToPlanar(
                input: x.plane(image: image, block: block), inputBlockStep: layout.blockStride,
                inputRowStep: layout.rowStride, pixelStep: lanes,
                output: y + (image * layout.channels + block * lanes) * pixels, outputChannelStep: pixels,
                outputRowStep: layout.width, channels: min(lanes, layout.channels - block * lanes),
                rows: layout.height, columns: layout.width)
        }
    }
}

/// The sum of two values in blocks.
struct BlockedSum: Step {
    let a: BlockedValue
    let b: BlockedValue
    let y: BlockedValue
    let kernels: KernelSet

    func run(_ context: StepContext) {
        let (a, b, y, kernels) = (a, b, y, kernels)
        context.pool.forEach(y.layout.images * y.layout.blocks) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: y.layout.blocks)
            kernels.addRows(
                a.plane(image: image, block: block), aRowStep: a.layout.rowStride,
                b.plane(image: image, block: block), bRowStep: b.layout.rowStride,
                output: y.plane(image: image, block: block), outputRowStep: y.layout.rowStride, rows: y.layout.height,
                columns: y.layout.width, minimum: -.infinity, maximum: .infinity)
        }
    }
}

/// Operands of a concatenation copied into its result, those that do not lie there from the beginning.
struct BlockedConcatenation: Step {
    /// What to copy, and the block of the result where it goes.
    let operands: [(value: BlockedValue, firstBlock: Int)]
    let y: BlockedValue
    let kernels: KernelSet

    func run(_ context: StepContext) {
        let y = y
        for operand in operands {
            let x = operand.value
            var part = x.layout
            part.border = y.layout.border
            part.imageStride = y.layout.imageStride
            let target = BlockedValue(base: y.base + operand.firstBlock * y.layout.blockStride, layout: part)
            if !part.border.isEmpty { BorderStep(y: target, kernels: kernels).run(context) }
            let bytes = x.layout.width * x.layout.lanes * MemoryLayout<Float>.stride
            context.pool.forEach(x.layout.images * x.layout.blocks) { task in
                let (image, block) = task.quotientAndRemainder(dividingBy: x.layout.blocks)
                let source = x.plane(image: image, block: block)
                let target = target.plane(image: image, block: block)
                for row in 0..<x.layout.height {
                    UnsafeMutableRawPointer(target + row * y.layout.rowStride)
                        .copyMemory(from: source + row * x.layout.rowStride, byteCount: bytes)
                }
            }
        }
    }
}

/// The zeros around the planes of a value, written before it is: its memory held something else before.
struct BorderStep: Step {
    let y: BlockedValue
    let kernels: KernelSet

    func run(_ context: StepContext) {
        let (y, kernels, layout) = (y, kernels, y.layout)
        let planes = layout.images * layout.blocks
        // Little is done sooner than shared out.
        let isLittle = planes * (layout.blockStride - layout.height * layout.width * layout.lanes) < 16 * 1024
        context.forEach(planes, alone: isLittle) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: layout.blocks)
            kernels.fillBorder(
                y.plane(image: image, block: block) - layout.origin, pixelStep: layout.lanes, rows: layout.height,
                columns: layout.width, top: layout.border.top, left: layout.border.left,
                bottom: layout.border.bottom, right: layout.border.right)
        }
    }
}
