/// How an image becomes a network's input, as a value.
///
/// In this order: the image is decoded, brought to the channels of ``channels``, resized, cropped in the middle, turned
/// into floating point, multiplied by ``scale``, put into ``channels`` order, lessened by ``mean``, divided by
/// ``standardDeviation``, and laid out channel by channel (`[C, H, W]`).
public struct Preprocessing: Hashable, Sendable {
    /// What happens to the size before the crop.
    public enum Resize: Hashable, Sendable {
        /// Nothing.
        case none
        /// The shorter side becomes this long, the other in proportion (``Image/resized(shorterSide:filter:)``).
        case shorterSide(Int)
        /// Both sides, whatever the proportion.
        case exact(width: Int, height: Int)
    }

    /// A width and a height in pixels.
    public struct Size: Hashable, Sendable {
        /// Pixels in a row.
        public let width: Int
        /// Rows.
        public let height: Int

        /// The size.
        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    /// No side is longer than this.
    public static let maximumSide = 1 << 16

    /// The resize.
    public let resize: Resize
    /// The filter of the resize.
    public let interpolation: Interpolation
    /// The centre crop (``Image/centerCropped(width:height:)``), if any.
    public let crop: Size?
    /// What pixels, 0 to 255, are multiplied by.
    public let scale: Double
    /// What is subtracted after scaling: one value, or one for each channel in the order of ``channels``.
    public let mean: [Double]
    /// What is divided by at the end: one value, or one for each channel in the order of ``channels``.
    public let standardDeviation: [Double]
    /// The channels and their order.
    public let channels: ChannelOrder

    /// The preprocessing with these values.
    /// - Throws: ``PreprocessingError/invalid(field:reason:)``,
    ///   ``PreprocessingError/channelCountMismatch(field:values:channels:)``.
    public init(
        resize: Resize = .none, interpolation: Interpolation = .bilinear, crop: Size? = nil, scale: Double,
        mean: [Double] = [0], standardDeviation: [Double] = [1], channels: ChannelOrder = .rgb
    ) throws(PreprocessingError) {
        self.init(
            unchecked: resize, interpolation, crop: crop, scale: scale, mean: mean,
            standardDeviation: standardDeviation, channels)
        switch resize {
        case .none: break
        case .shorterSide(let length): try Preprocessing.check("resize", [length])
        case .exact(let width, let height): try Preprocessing.check("resize", [width, height])
        }
        if let crop { try Preprocessing.check("crop", [crop.width, crop.height]) }
        guard scale.isFinite, scale != 0 else { throw .invalid(field: "scale", reason: "is \(scale)") }
        for (name, values) in [("mean", mean), ("std", standardDeviation)] {
            guard values.count == 1 || values.count == channels.count else {
                throw .channelCountMismatch(field: name, values: values.count, channels: channels.count)
            }
            if let bad = values.first(where: { !$0.isFinite || name == "std" && $0 == 0 }) {
                throw .invalid(field: name, reason: "has the value \(bad)")
            }
        }
    }

    init(
        unchecked resize: Resize, _ interpolation: Interpolation = .bilinear, crop: Size? = nil, scale: Double,
        mean: [Double], standardDeviation: [Double], _ channels: ChannelOrder = .rgb
    ) {
        self.resize = resize
        self.interpolation = interpolation
        self.crop = crop
        self.scale = scale
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.channels = channels
    }

    private static func check(_ field: String, _ sides: [Int]) throws(PreprocessingError) {
        if let side = sides.first(where: { $0 < 1 || $0 > maximumSide }) {
            throw .invalid(field: field, reason: "has a side of \(side); 1 to \(maximumSide) are possible")
        }
    }
}

extension Preprocessing: CustomStringConvertible {
    /// One line for people: `resize 256 bilinear, crop 224x224, rgb, times 1/255, mean 0.485 0.456 0.406, std ...`.
    public var description: String {
        var parts: [String] = []
        switch resize {
        case .none: break
        case .shorterSide(let length): parts.append("resize shorter side to \(length) \(interpolation)")
        case .exact(let width, let height): parts.append("resize to \(width)x\(height) \(interpolation)")
        }
        if let crop { parts.append("crop \(crop.width)x\(crop.height)") }
        parts.append("\(channels)")
        if scale != 1 { parts.append("times " + (scale == 1.0 / 255 ? "1/255" : "\(scale)")) }
        func text(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: " ") }
        if mean.contains(where: { $0 != 0 }) { parts.append("mean " + text(mean)) }
        if standardDeviation.contains(where: { $0 != 1 }) { parts.append("std " + text(standardDeviation)) }
        return parts.joined(separator: ", ")
    }
}
