import MartletFiles

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// Martlet's own form, one line with the keys sorted:
//
//     {"channels":"rgb","crop":{"height":224,"width":224},"interpolation":"bilinear","martlet_preprocessing":1,
//      "mean":[0.485,0.456,0.406],"resize":{"shorter_side":256},"scale":0.00392156862745098,
//      "std":[0.229,0.224,0.225]}
//
// `resize` is absent, {"shorter_side":n} or {"height":h,"width":w}; `crop` is absent or {"height":h,"width":w}.

extension Preprocessing {
    private static let marker = "martlet_preprocessing"
    private static let version = 1.0

    /// The text form that ``init(json:source:)`` reads back as the same value; it is written into networks' metadata.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Every number is finite, so this cannot fail.
        guard let data = try? encoder.encode(self) else { preconditionFailure("\(self) has no JSON form") }
        return String(decoding: data, as: UTF8.self)
    }

    /// The description that lies beside a network's file, `NAME.preprocessor_config.json` or `preprocessor_config.json`. It is for
    /// an error to name; used unasked, it would make results depend on what else is in the folder.
    static func file(beside network: String) -> String? {
        let folder = network.lastIndex(of: "/").map { network[...$0] } ?? ""
        let name = network.dropFirst(folder.count)
        let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
        return ["\(folder)\(stem).preprocessor_config.json", "\(folder)preprocessor_config.json"]
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    /// The preprocessing that `json` describes: Martlet's own form or Hugging Face's `preprocessor_config.json`.
    ///
    /// Of Hugging Face's fields these count: `do_resize size resample`, `do_center_crop crop_size`, `do_rescale
    /// rescale_factor`, `do_normalize image_mean image_std`, `do_flip_channel_order` (the channels are reversed first: mean
    /// and deviation are in BGR order). Fields that only name classes are passed over; any other that is not null or
    /// false is an error, since it would change the result.
    /// - Parameter source: what errors call the text.
    /// - Throws: ``PreprocessingError``.
    public init(json: String, source: String = "the text") throws(PreprocessingError) {
        let fields = try JSONValue.object(json, source: source)
        if fields[Preprocessing.marker] != nil {
            self = try Preprocessing.own(JSONFields(fields, source: source))
        } else {
            self = try Preprocessing.huggingFace(JSONFields(fields, source: source))
        }
    }

    /// The preprocessing that the JSON file at `path` describes.
    /// - Throws: ``PreprocessingError``, `FileError`.
    public init(contentsOf path: String) throws {
        let text = try MappedFile(path: path).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        try self.init(json: text, source: path)
    }

    private static func own(_ fields: JSONFields) throws(PreprocessingError) -> Preprocessing {
        var fields = fields
        guard try fields.number(marker) == version else {
            throw fields.error(marker, "a version of this form that is not known here")
        }
        var resize = Resize.none
        if let value = fields.take("resize") {
            if let sides = try fields.sides("resize", of: value, ["shorter_side"]) {
                resize = .shorterSide(sides[0])
            } else if let sides = try fields.sides("resize", of: value, ["width", "height"]) {
                resize = .exact(width: sides[0], height: sides[1])
            } else {
                throw fields.error("resize", "expected shorter_side, or width and height")
            }
        }
        var crop: Size?
        if let value = fields.take("crop") {
            guard let sides = try fields.sides("crop", of: value, ["width", "height"]) else {
                throw fields.error("crop", "expected width and height")
            }
            crop = Size(width: sides[0], height: sides[1])
        }
        let filterName = try fields.string("interpolation")
        guard let filter = filterName.map(Interpolation.init(rawValue:)) ?? (resize == .none ? .bilinear : nil) else {
            throw fields.error("interpolation", "expected one of \(Interpolation.allCases)")
        }
        guard let name = try fields.string("channels"), let channels = ChannelOrder(rawValue: name) else {
            throw fields.error("channels", "expected one of \(ChannelOrder.allCases)")
        }
        guard let scale = try fields.number("scale") else { throw fields.error("scale", "missing") }
        guard let mean = try fields.numbers("mean") else { throw fields.error("mean", "missing") }
        guard let deviation = try fields.numbers("std") else { throw fields.error("std", "missing") }
        try fields.checkNothingLeft()
        return try Preprocessing(
            resize: resize, interpolation: filter, crop: crop, scale: scale, mean: mean, standardDeviation: deviation,
            channels: channels)
    }

    private var fields: [String: JSONValue] {
        func sides(_ width: Int, _ height: Int) -> JSONValue {
            .object(["width": .number(Double(width)), "height": .number(Double(height))])
        }
        var fields: [String: JSONValue] = [
            Preprocessing.marker: .number(Preprocessing.version),
            "interpolation": .string(interpolation.rawValue),
            "channels": .string(channels.rawValue),
            "scale": .number(scale),
            "mean": .array(mean.map(JSONValue.number)),
            "std": .array(standardDeviation.map(JSONValue.number)),
        ]
        switch resize {
        case .none: break
        case .shorterSide(let length): fields["resize"] = .object(["shorter_side": .number(Double(length))])
        case .exact(let width, let height): fields["resize"] = sides(width, height)
        }
        if let crop { fields["crop"] = sides(crop.width, crop.height) }
        return fields
    }
}

extension Preprocessing: Codable {
    /// Writes Martlet's own form.
    public func encode(to encoder: any Encoder) throws {
        try JSONValue.object(fields).encode(to: encoder)
    }

    /// Reads Martlet's own form.
    /// - Throws: ``PreprocessingError``.
    public init(from decoder: any Decoder) throws {
        guard case .object(let fields) = try JSONValue(from: decoder) else {
            throw PreprocessingError.notJSON(source: "the preprocessing", reason: "it is another value")
        }
        self = try Preprocessing.own(JSONFields(fields, source: "the preprocessing"))
    }
}
