import CMartletJPEG

/// Decodes a JPEG file, baseline or progressive, to 8-bit grey or RGB.
func decodeJPEG(_ bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) -> Image {
    let messageLength = Int(MARTLET_JPEG_MESSAGE_LENGTH)
    var header = martlet_jpeg_header()
    let (jpeg, openMessage) = withMessage(length: messageLength) {
        martlet_jpeg_open(bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, &header, $0)
    }
    guard let jpeg else { throw .cannotDecode(name: name, format: "JPEG", reason: openMessage) }
    defer { martlet_jpeg_close(jpeg) }
    let (width, height, components) = (Int(header.width), Int(header.height), Int(header.components))
    guard Image.isSupported(width: width, height: height) else {
        throw .unsupportedSize(name: name, width: width, height: height)
    }
    // A Huffman-coded block of 64 samples takes at least a bit, and a pixel's components share a block with at most
    // 8 x 64 pixels; arithmetic coding knows no such bound.
    guard header.is_arithmetic != 0 || width * height / 4096 <= 16 + bytes.count else {
        throw .sizeBeyondData(name: name, width: width, height: height, byteCount: bytes.count)
    }
    guard [1, 3, 4].contains(components) else {
        throw .cannotDecode(name: name, format: "JPEG", reason: "\(components) components a pixel")
    }
    let count = width * height * components
    var result: (status: Int32, message: String) = (1, "")
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
        result = withMessage(length: messageLength) { martlet_jpeg_read(jpeg, target.baseAddress, $0) }
        initialized = result.status == 0 ? count : 0
    }
    guard result.status == 0 else { throw .cannotDecode(name: name, format: "JPEG", reason: result.message) }
    if components < 4 { return Image(unchecked: pixels, width: width, height: height, channels: components) }
    return Image(unchecked: convertedFromInvertedCMYK(pixels), width: width, height: height, channels: 3)
}

/// RGB from CMYK samples that are stored inverted (255 is no ink), as Adobe's programs write them and Pillow takes all
/// CMYK files to be: each colour is the black sample minus that part of it which the ink takes away, rounded.
private func convertedFromInvertedCMYK(_ samples: [UInt8]) -> [UInt8] {
    let count = samples.count / 4
    return [UInt8](unsafeUninitializedCapacity: count * 3) { target, initialized in
        samples.withUnsafeBufferPointer { source in
            for i in 0..<count {
                let black = Int32(source[4 * i + 3])
                for channel in 0..<3 {
                    let ink = 255 &- Int32(source[4 * i + channel])
                    // Division by 255, rounded, without dividing.
                    let product = ink &* black &+ 128
                    let taken = ((product &>> 8) &+ product) &>> 8
                    target[3 * i + channel] = UInt8(truncatingIfNeeded: max(0, black &- taken))
                }
            }
        }
        initialized = count * 3
    }
}
