import CMartletPNG

/// Decodes a PNG file of any bit depth and colour type to 8-bit grey or RGB.
func decodePNG(_ bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) -> Image {
    let messageLength = Int(MARTLET_PNG_MESSAGE_LENGTH)
    var header = martlet_png_header()
    let (png, openMessage) = withMessage(length: messageLength) {
        martlet_png_open(bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, &header, $0)
    }
    guard let png else { throw .cannotDecode(name: name, format: "PNG", reason: openMessage) }
    defer { martlet_png_close(png) }
    let (width, height, channels) = (Int(header.width), Int(header.height), Int(header.components))
    guard Image.isSupported(width: width, height: height), channels == 1 || channels == 3 else {
        throw .unsupportedSize(name: name, width: width, height: height)
    }
    // Deflate shrinks to no less than 1/1032.
    let (storedLength, overflow) = header.stored_row_length.multipliedReportingOverflow(by: height)
    guard !overflow, storedLength / 1032 <= bytes.count else {
        throw .sizeBeyondData(name: name, width: width, height: height, byteCount: bytes.count)
    }
    var result: (status: Int32, message: String) = (1, "")
    // Zeroed: rows of an interlaced picture are filled in over several passes.
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    pixels.withUnsafeMutableBufferPointer { target in
        result = withMessage(length: messageLength) { martlet_png_read(png, target.baseAddress, $0) }
    }
    guard result.status == 0 else { throw .cannotDecode(name: name, format: "PNG", reason: result.message) }
    return Image(unchecked: pixels, width: width, height: height, channels: channels)
}
