extension Image {
    /// The image with three channels: grey is written three times.
    public func convertedToRGB() -> Image {
        if channels == 3 { return self }
        let count = width * height
        let result = [UInt8](unsafeUninitializedCapacity: count * 3) { target, initialized in
            pixels.withUnsafeBufferPointer { source in
                for i in 0..<count {
                    let value = source[i]
                    target[3 * i] = value
                    target[3 * i + 1] = value
                    target[3 * i + 2] = value
                }
            }
            initialized = count * 3
        }
        return Image(unchecked: result, width: width, height: height, channels: 3)
    }

    /// The image with one channel: the luma of ITU-R BT.601, `0.299 R + 0.587 G + 0.114 B` in 16-bit fixed point,
    /// rounded: what Pillow's `convert("L")` computes.
    public func convertedToGrey() -> Image {
        if channels == 1 { return self }
        let count = width * height
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            pixels.withUnsafeBufferPointer { source in
                for i in 0..<count {
                    let red = UInt32(source[3 * i])
                    let green = UInt32(source[3 * i + 1])
                    let blue = UInt32(source[3 * i + 2])
                    let luma = (red &* 19595 &+ green &* 38470 &+ blue &* 7471 &+ 0x8000) &>> 16
                    target[i] = UInt8(truncatingIfNeeded: luma)
                }
            }
            initialized = count
        }
        return Image(unchecked: result, width: width, height: height, channels: 1)
    }
}
