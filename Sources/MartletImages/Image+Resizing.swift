/// A part of an image: columns and rows.
struct ImageWindow: Hashable {
    var columns: Range<Int>
    var rows: Range<Int>
}

extension Image {
    /// The image at another size, exactly as Pillow's `resize`: two passes rounded to 8 bits, with antialiasing when
    /// shrinking. At its own size the image comes back as it is.
    ///
    /// The horizontal pass comes first, unless the height shrinks by more than twice what the width shrinks by; so Pillow 13
    /// does it. Before, Pillow always began with the horizontal pass, which differs by a grey level here and there.
    /// - Throws: ``ImageError/unsupportedTargetSize(width:height:)``, ``ImageError/sideTooLong(length:target:)``.
    public func resized(width: Int, height: Int, filter: Interpolation) throws(ImageError) -> Image {
        guard Image.isSupported(width: width, height: height) else {
            throw .unsupportedTargetSize(width: width, height: height)
        }
        return try resized(
            width: width, height: height, filter: filter,
            window: ImageWindow(columns: 0..<width, rows: 0..<height))
    }

    /// The image with its shorter side brought to `length` and the longer in proportion, truncated as torchvision
    /// truncates: `int(length * longer / shorter)`.
    /// - Throws: ``ImageError/unsupportedTargetSize(width:height:)``, ``ImageError/sideTooLong(length:target:)``.
    public func resized(shorterSide length: Int, filter: Interpolation) throws(ImageError) -> Image {
        let size = try self.size(shorterSide: length)
        return try resized(width: size.width, height: size.height, filter: filter)
    }

    /// The size that ``resized(shorterSide:filter:)`` gives.
    func size(shorterSide length: Int) throws(ImageError) -> (width: Int, height: Int) {
        try Image.size(width: width, height: height, shorterSide: length)
    }

    /// The size that ``resized(shorterSide:filter:)`` gives an image of this size.
    static func size(width: Int, height: Int, shorterSide length: Int) throws(ImageError) -> (width: Int, height: Int) {
        guard length > 0, length <= maximumPixelCount, isSupported(width: width, height: height) else {
            throw .unsupportedTargetSize(width: length, height: length)
        }
        let (shorter, longer) = (min(width, height), max(width, height))
        let scaled = Int(Double(length * longer) / Double(shorter))
        let size = width <= height ? (width: length, height: scaled) : (width: scaled, height: length)
        guard isSupported(width: size.width, height: size.height) else {
            throw .unsupportedTargetSize(width: size.width, height: size.height)
        }
        return size
    }

    /// The part `window` of the image resized to `width` x `height`: the same pixels as cutting it out afterwards, but
    /// only those are computed.
    func resized(
        width: Int, height: Int, filter: Interpolation, window: ImageWindow
    ) throws(ImageError) -> Image {
        if width == self.width, height == self.height { return cut(window) }
        if filter == .nearest { return nearest(width: width, height: height, window: window) }
        let horizontal = try ResamplingCoefficients(
            filter: filter, inputSize: self.width, outputSize: width, window: window.columns)
        let vertical = try ResamplingCoefficients(
            filter: filter, inputSize: self.height, outputSize: height, window: window.rows)
        let (changesWidth, changesHeight) = (width != self.width, height != self.height)
        let needed = ImageWindow(
            columns: changesWidth ? horizontal.inputs : window.columns,
            rows: changesHeight ? vertical.inputs : window.rows)
        func horizontally(_ image: Image) -> Image {
            guard changesWidth else { return image }
            return image.resampledHorizontally(horizontal.counted(from: needed.columns.lowerBound))
        }
        func vertically(_ image: Image) -> Image {
            guard changesHeight else { return image }
            return image.resampledVertically(vertical.counted(from: needed.rows.lowerBound))
        }
        // Pillow's order, from its version 13 on. What stands between the passes is never larger than both ends.
        let isVerticalFirst = self.height > height && self.height - height > 2 * (self.width - width)
        let source = cut(needed)
        return isVerticalFirst ? horizontally(vertically(source)) : vertically(horizontally(source))
    }

    private func nearest(width: Int, height: Int, window: ImageWindow) -> Image {
        // Pillow walks by adding up the step, and so must whoever wants its rounding.
        func positions(_ inputSize: Int, _ outputSize: Int, _ window: Range<Int>) -> [Int] {
            let step = Double(inputSize) / Double(outputSize)
            var position = step * 0.5
            var result: [Int] = []
            for i in 0..<window.upperBound {
                if i >= window.lowerBound { result.append(min(Int(position), inputSize - 1)) }
                position += step
            }
            return result
        }
        let columns = positions(self.width, width, window.columns)
        let rows = positions(self.height, height, window.rows)
        let count = columns.count * rows.count * channels
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            pixels.withUnsafeBufferPointer { source in
                var next = 0
                for row in rows {
                    for column in columns {
                        let base = (row * self.width + column) * channels
                        for channel in 0..<channels {
                            target[next] = source[base + channel]
                            next += 1
                        }
                    }
                }
            }
            initialized = count
        }
        return Image(unchecked: result, width: columns.count, height: rows.count, channels: channels)
    }
}
