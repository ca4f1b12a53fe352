extension Image {
    /// The middle `width` x `height` pixels, as Hugging Face's `center_crop` takes them.
    ///
    /// The first row is `floor((h - height) / 2)`: 227 to 224 starts at 1. Caffe does the same; torchvision rounds halves
    /// to even instead, which is one pixel further on if `h - height` is 3 more than a multiple of 4. Where the image is
    /// smaller it is padded with black, the odd pixel to the left and above (by the same formula).
    /// - Throws: ``ImageError/unsupportedTargetSize(width:height:)``.
    public func centerCropped(width: Int, height: Int) throws(ImageError) -> Image {
        guard Image.isSupported(width: width, height: height) else {
            throw .unsupportedTargetSize(width: width, height: height)
        }
        let (columns, left) = Image.cropRange(of: self.width, to: width)
        let (rows, top) = Image.cropRange(of: self.height, to: height)
        return cut(ImageWindow(columns: columns, rows: rows)).padded(width: width, height: height, left: left, top: top)
    }

    /// What a centre crop keeps of a side of `size` pixels, and the black pixels that come before it.
    static func cropRange(of size: Int, to target: Int) -> (kept: Range<Int>, padding: Int) {
        // The shift rounds towards minus infinity.
        let start = (size - target) >> 1
        return start < 0 ? (0..<size, -start) : (start..<start + target, 0)
    }

    /// The pixels in `window`, which lies within the image.
    func cut(_ window: ImageWindow) -> Image {
        let (columns, rows) = (window.columns, window.rows)
        if columns.count == width, rows.count == height { return self }
        let length = columns.count * channels
        let result = [UInt8](unsafeUninitializedCapacity: length * rows.count) { target, initialized in
            pixels.withUnsafeBufferPointer { source in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                for (i, row) in rows.enumerated() {
                    (target + i * length).initialize(
                        from: source + (row * width + columns.lowerBound) * channels, count: length)
                }
            }
            initialized = length * rows.count
        }
        return Image(unchecked: result, width: columns.count, height: rows.count, channels: channels)
    }

    /// The image on a black ground of the given size, its corner at (`left`, `top`).
    func padded(width: Int, height: Int, left: Int, top: Int) -> Image {
        if width == self.width, height == self.height { return self }
        var result = [UInt8](repeating: 0, count: width * height * channels)
        let length = self.width * channels
        for row in 0..<self.height {
            let start = ((row + top) * width + left) * channels
            result.replaceSubrange(start..<start + length, with: pixels[row * length..<(row + 1) * length])
        }
        return Image(unchecked: result, width: width, height: height, channels: channels)
    }
}
