import MartletKernelsBaseline

/// What quantisation reads.
enum FloatSource {
    case planes(PlanarInput)
    case blocks(BlockedValue)
}

/// Floats, in rows of pixels or in blocks, quantised to bytes in blocks.
struct QuantizeToBlocks: Step {
    let x: FloatSource
    let y: ByteBlocks
    /// For rows of pixels; its vectors are as wide as those of the others.
    let floatKernels: KernelSet
    let kernels: QuantizedKernelSet

    var scratchBytes: Int { (y.layout.width + 1) * QuantizedKernelSet.channelsOfBlock * MemoryLayout<Float>.stride }

    /// Rows that a thread takes at once: one alone is less than a microsecond.
    private static let rowsOfTask = 14

    func run(_ context: StepContext) {
        let (step, layout) = (self, y.layout)
        let rows = layout.images * layout.blocks * layout.height
        context.pool.forEach((rows + Self.rowsOfTask - 1) / Self.rowsOfTask) { task, worker in
            let scratch = context.floats(worker: worker)
            for row in task * Self.rowsOfTask..<min(rows, (task + 1) * Self.rowsOfTask) {
                let (plane, row) = row.quotientAndRemainder(dividingBy: layout.height)
                step.quantize(row, ofPlane: plane, scratch)
            }
        }
    }

    private func quantize(_ row: Int, ofPlane plane: Int, _ scratch: UnsafeMutablePointer<Float>) {
        let (layout, quantization) = (y.layout, y.quantization)
        let lanes = min(floatKernels.lanes, layout.lanes)
        let pixels = layout.height * layout.width
        let (image, block) = plane.quotientAndRemainder(dividingBy: layout.blocks)
        let target = y.plane(image: image, block: block) + row * layout.rowStride
        if case .planes(let picture) = x, layout.lanes == 3 {
            kernels.quantizePictureRow(
                input: picture.base + image * 3 * pixels + row * layout.width, channelStep: pixels,
                count: layout.width, output: target, scale: quantization.scale,
                minimum: Float(-quantization.zeroPoint), maximum: Float(255 - quantization.zeroPoint),
                zeroPoint: quantization.zeroPoint)
            return
        }
        for part in 0..<layout.lanes / lanes {
            let channel = block * layout.lanes + part * lanes
            var source = UnsafePointer(scratch)
            switch x {
            case .planes(let floats):
                // Lanes past the last channel repeat it; no weight reads them.
                let first = min(channel, layout.channels - 1)
                floatKernels.planarToBlocked(
                    input: floats.base + (image * layout.channels + first) * pixels + row * layout.width,
                    inputChannelStep: pixels, inputRowStep: layout.width, output: scratch, outputBlockStep: 0,
                    outputRowStep: 0, pixelStep: lanes, channels: min(lanes, layout.channels - first), rows: 1,
                    columns: layout.width)
            case .blocks(let value):
                let blockOfFloats = min(channel / value.layout.lanes, value.layout.blocks - 1)
                source = UnsafePointer(value.plane(image: image, block: blockOfFloats) + row * value.layout.rowStride)
            }
            kernels.quantizeRow(
                input: source, count: layout.width * lanes, output: target + part * lanes,
                outputStep: layout.lanes == lanes ? kernels.lanes : layout.lanes, scale: quantization.scale,
                minimum: Float(-quantization.zeroPoint), maximum: Float(255 - quantization.zeroPoint),
                zeroPoint: quantization.zeroPoint)
        }
    }
}

/// Bytes in blocks dequantised to floats in rows of pixels.
struct DequantizeToPlanes: Step {
    let x: ByteBlocks
    let y: UnsafeMutablePointer<Float>
    let floatKernels: KernelSet
    let kernels: QuantizedKernelSet

    var scratchBytes: Int { x.layout.width * QuantizedKernelSet.channelsOfBlock * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let (x, y, layout, floatKernels, kernels) = (x, y, x.layout, floatKernels, kernels)
        let lanes = kernels.lanes
        let pixels = layout.height * layout.width
        context.pool.forEach(layout.images * layout.blocks * layout.height) { task, worker in
            let (rest, row) = task.quotientAndRemainder(dividingBy: layout.height)
            let (image, block) = rest.quotientAndRemainder(dividingBy: layout.blocks)
            let source = x.plane(image: image, block: block) + row * layout.rowStride
            let scratch = context.floats(worker: worker)
            for part in 0..<layout.lanes / lanes {
                let channel = block * layout.lanes + part * lanes
                if channel >= layout.channels { break }
                kernels.dequantizeRow(
                    input: source + part * lanes, inputStep: layout.lanes, count: layout.width * lanes,
                    output: scratch, scale: x.quantization.scale, zeroPoint: x.quantization.zeroPoint)
                floatKernels.blockedToPlanar(
                    input: scratch, inputBlockStep: 0, inputRowStep: 0, pixelStep: lanes,
                    output: y + (image * layout.channels + channel) * pixels + row * layout.width,
                    outputChannelStep: pixels, outputRowStep: layout.width,
                    channels: min(lanes, layout.channels - channel), rows: 1, columns: layout.width)
            }
        }
    }
}

/// Bytes in blocks dequantised to floats in blocks.
struct DequantizeToBlocks: Step {
    let x: ByteBlocks
    let y: BlockedValue
    let kernels: QuantizedKernelSet

    func run(_ context: StepContext) {
        let (x, y, kernels) = (x, y, kernels)
        let (layout, lanes) = (x.layout, kernels.lanes)
        let parts = layout.lanes / lanes
        context.pool.forEach(y.layout.images * y.layout.blocks) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: y.layout.blocks)
            let source = x.plane(image: image, block: block / parts) + block % parts * lanes
            let target = y.plane(image: image, block: block)
            for row in 0..<layout.height {
                kernels.dequantizeRow(
                    input: source + row * layout.rowStride, inputStep: layout.lanes, count: layout.width * lanes,
                    output: target + row * y.layout.rowStride, scale: x.quantization.scale,
                    zeroPoint: x.quantization.zeroPoint)
            }
        }
    }
}

/// Bytes moved from rows of pixels into blocks or back. Signed bytes have 128 added in blocks.
struct MoveBytes: Step {
    let planes: UnsafeMutablePointer<UInt8>
    let blocks: ByteBlocks
    let isToBlocks: Bool

    func run(_ context: StepContext) {
        let (planes, blocks, layout, isToBlocks) = (planes, blocks, blocks.layout, isToBlocks)
        let flip: UInt8 = blocks.quantization.isSigned ? 0x80 : 0
        let zero = UInt8(blocks.quantization.zeroPoint)
        let pixels = layout.height * layout.width
        context.pool.forEach(layout.images * layout.blocks) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: layout.blocks)
            let plane = blocks.plane(image: image, block: block)
            let channels = min(layout.lanes, layout.channels - block * layout.lanes)
            if pixels == 1, flip == 0, channels == layout.lanes {
                // As after a global pooling: the two orders are one.
                let others = planes + image * layout.channels + block * layout.lanes
                (isToBlocks ? plane : others).update(from: isToBlocks ? others : plane, count: channels)
                return
            }
            for lane in 0..<layout.lanes {
                let channel = block * layout.lanes + lane
                let other = planes + (image * layout.channels + channel) * pixels
                for row in 0..<layout.height {
                    var place = plane + row * layout.rowStride + lane
                    for pixel in row * layout.width..<(row + 1) * layout.width {
                        if channel >= layout.channels {
                            if isToBlocks { place.pointee = zero }
                        } else if isToBlocks {
                            place.pointee = other[pixel] ^ flip
                        } else {
                            other[pixel] = place.pointee ^ flip
                        }
                        place += layout.lanes
                    }
                }
            }
        }
    }
}
