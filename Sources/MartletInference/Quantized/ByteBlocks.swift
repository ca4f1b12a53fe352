/// A value of bytes in blocks of channels, in memory.
struct ByteBlocks {
    /// The first byte of the border of the first plane.
    let base: UnsafeMutablePointer<UInt8>
    let layout: BlockedLayout
    /// What the bytes stand for; the border holds the zero point.
    let quantization: ByteQuantization

    /// The first pixel of a plane.
    func plane(image: Int, block: Int) -> UnsafeMutablePointer<UInt8> {
        base + image * layout.imageStride + block * layout.blockStride + layout.origin
    }
}

/// The zero points around the planes of a value, written before it is.
struct ByteBorderStep: Step {
    let y: ByteBlocks

    func run(_ context: StepContext) {
        let (y, layout) = (y, y.layout)
        let (border, zero) = (layout.border, UInt8(y.quantization.zeroPoint))
        let planes = layout.images * layout.blocks
        let isLittle = planes * (layout.blockStride - layout.height * layout.width * layout.lanes) < 64 * 1024
        context.forEach(planes, alone: isLittle) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: layout.blocks)
            let pixels = y.plane(image: image, block: block)
            let first = pixels - layout.origin
            let (row, between) = (layout.rowStride, (border.left + border.right) * layout.lanes)
            // The end of a row and the start of the next are neighbours.
            first.update(repeating: zero, count: layout.origin)
            var end = pixels + layout.width * layout.lanes
            for _ in 1..<max(1, layout.height) {
                end.update(repeating: zero, count: between)
                end += row
            }
            end.update(repeating: zero, count: border.right * layout.lanes + border.bottom * row)
        }
    }
}

/// How a layer rounds, as the kernels want it told.
extension QuantizedLayer {
    /// The settings of `convolveQuantizedRows`, for a residual of this quantisation.
    func settings(residual: ByteQuantization?) -> [Float] {
        let scale = result.quantization.scale
        var settings = self.settings
        if let first {
            let zero = first.quantization.zeroPoint
            settings += [
                first.quantization.scale / scale, Float(first.bounds.lowerBound - zero),
                Float(first.bounds.upperBound - zero),
            ]
        } else {
            settings += [0, 0, 0]
        }
        return settings + [(residual?.scale ?? 0) / scale, Float(residual?.zeroPoint ?? 0)]
    }

    /// The bounds of the result from its zero point, and the zero point as the bits of a float.
    var settings: [Float] {
        let zero = result.quantization.zeroPoint
        return [
            Float(result.bounds.lowerBound - zero), Float(result.bounds.upperBound - zero),
            Float(bitPattern: UInt32(zero)),
        ]
    }

    /// The settings with the factors and zero points of operands behind them.
    func settings(operands: [ByteQuantization]) -> [Float] {
        settings + operands.flatMap { [$0.scale / result.quantization.scale, Float($0.zeroPoint)] }
    }

    /// The scale that sums of products are rounded to first.
    var scaleOfSums: Float { (first ?? result).quantization.scale }
}
