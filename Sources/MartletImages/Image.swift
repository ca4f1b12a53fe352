/// A picture: 8-bit pixels in rows from the top, each pixel's channels side by side.
public struct Image: Sendable, Hashable {
    /// No image has more pixels than this, so that a hostile header is refused before memory is asked for.
    public static let maximumPixelCount = 1 << 28

    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// 1 (grey) or 3 (red, green, blue).
    public let channels: Int
    /// `height * width * channels` bytes.
    public let pixels: [UInt8]

    /// The image with these pixels.
    /// - Throws: ``ImageError/unsupportedSize(name:width:height:)``,
    ///   ``ImageError/pixelCountMismatch(width:height:channels:count:)``.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws(ImageError) {
        guard Image.isSupported(width: width, height: height) else {
            throw .unsupportedSize(name: "the image", width: width, height: height)
        }
        guard channels == 1 || channels == 3, pixels.count == width * height * channels else {
            throw .pixelCountMismatch(width: width, height: height, channels: channels, count: pixels.count)
        }
        self.init(unchecked: pixels, width: width, height: height, channels: channels)
    }

    init(unchecked pixels: [UInt8], width: Int, height: Int, channels: Int) {
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    static func isSupported(width: Int, height: Int) -> Bool {
        guard width > 0, height > 0 else { return false }
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        return !overflow && count <= maximumPixelCount
    }
}
