import MartletTensors

/// What can be wrong with an image.
public enum ImageError: MartletError, Equatable {
    /// The bytes begin like no format that Martlet reads.
    case unknownFormat(name: String)
    /// The decoder gave up: damaged, truncated or of an unsupported kind.
    case cannotDecode(name: String, format: String, reason: String)
    /// More pixels than ``Image/maximumPixelCount``, or none.
    case unsupportedSize(name: String, width: Int, height: Int)
    /// The header promises more pixels than the bytes behind it can describe.
    case sizeBeyondData(name: String, width: Int, height: Int, byteCount: Int)
    /// A number of pixels that does not fill width times height times channels.
    case pixelCountMismatch(width: Int, height: Int, channels: Int, count: Int)
    /// A resize or crop to a size that is not allowed.
    case unsupportedTargetSize(width: Int, height: Int)
    /// A side of so many pixels that a resize would take gigabytes.
    case sideTooLong(length: Int, target: Int)

    public var description: String {
        switch self {
        case .unknownFormat(let name):
            "\(name) is neither a PNG nor a JPEG image"
        case .cannotDecode(let name, let format, let reason):
            "cannot decode \(name) (\(format)): \(reason)"
        case .unsupportedSize(let name, let width, let height):
            "\(name) is \(width)x\(height) pixels; 1 to \(Image.maximumPixelCount) are supported"
        case .sizeBeyondData(let name, let width, let height, let byteCount):
            "\(name) says it is \(width)x\(height) pixels, which its \(byteCount) bytes cannot hold"
        case .pixelCountMismatch(let width, let height, let channels, let count):
            "\(count) bytes do not fill \(width)x\(height) pixels of \(channels) channels"
        case .unsupportedTargetSize(let width, let height):
            "an image cannot be brought to \(width)x\(height) pixels; 1 to \(Image.maximumPixelCount) are supported"
        case .sideTooLong(let length, let target):
            "a side of \(length) pixels is too long to be resized to \(target)"
        }
    }

    public var remedy: String? {
        switch self {
        case .unknownFormat: "convert it to PNG or JPEG; the format is told by the first bytes, not by the file's name"
        case .cannotDecode, .sizeBeyondData: "the file is damaged or incomplete: fetch it again or remove it"
        case .unsupportedSize, .sideTooLong: "scale the image down first"
        case .pixelCountMismatch: nil
        case .unsupportedTargetSize: "choose another size to resize or crop to"
        }
    }
}
