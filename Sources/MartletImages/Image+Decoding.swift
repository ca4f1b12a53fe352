import MartletFiles

extension Image {
    /// Decodes the PNG or JPEG file at `path`; the first bytes tell which it is.
    ///
    /// The result is what Pillow's `Image.open(path).convert("RGB")` gives, grey files staying at one channel: alpha is
    /// dropped, not composited; 16-bit samples keep their high byte (for 16-bit grey Pillow clamps to 255 instead, which
    /// makes every such picture white); CMYK is taken in Adobe's inverted polarity. An EXIF orientation is not applied,
    /// and colour profiles and gamma are not either. Data that ends too early is an error, as is a wrong checksum.
    /// - Throws: ``ImageError``, `FileError`.
    public init(contentsOf path: String) throws {
        let file = try MappedFile(path: path)
        self = try file.withUnsafeBytes { try Image(decoding: $0, name: path) }
    }

    /// Decodes the bytes of a PNG or JPEG file; `name` is what errors call it.
    /// - Throws: ``ImageError``.
    public init(decoding bytes: [UInt8], name: String) throws(ImageError) {
        do {
            self = try bytes.withUnsafeBytes { try Image(decoding: $0, name: name) }
        } catch let error as ImageError {
            throw error
        } catch {
            throw .cannotDecode(name: name, format: "image", reason: "\(error)")
        }
    }

    /// Decodes the bytes of a PNG or JPEG file; `name` is what errors call it.
    /// - Throws: ``ImageError``.
    public init(decoding bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) {
        guard let format = ImageFormat(of: bytes) else { throw .unknownFormat(name: name) }
        switch format {
        case .png: self = try decodePNG(bytes, name: name)
        case .jpeg: self = try decodeJPEG(bytes, name: name)
        }
    }
}

/// The formats that can be decoded.
enum ImageFormat {
    case png, jpeg

    /// The format that the first bytes are the signature of.
    init?(of bytes: UnsafeRawBufferPointer) {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else {
            return nil
        }
    }
}

/// Calls `body` with room for a C message and returns what it returned, with the message.
func withMessage<Result>(length: Int, _ body: (UnsafeMutablePointer<CChar>) -> Result) -> (Result, message: String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: length) { buffer in
        buffer.initialize(repeating: 0)
        guard let base = buffer.baseAddress else { preconditionFailure("a temporary buffer of \(length) bytes") }
        let result = body(base)
        return (result, String(cString: base))
    }
}
