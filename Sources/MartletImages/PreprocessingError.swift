import MartletTensors

/// What can be wrong with a preprocessing or with how it is chosen.
public enum PreprocessingError: MartletError, Equatable {
    /// Nothing says how images become the network's input; a description may lie beside it, unasked for.
    case notChosen(network: String, beside: String? = nil)
    /// The flags alone leave the range of the pixels open.
    case scaleNotChosen
    /// Two whole preprocessings were asked for.
    case presetAndFile(preset: String, file: String)
    /// No preset has this name.
    case unknownPreset(String)
    /// A flag's value that cannot be read.
    case invalidValue(option: String, value: String, expected: String)
    /// The text is no JSON object.
    case notJSON(source: String, reason: String)
    /// A field of a JSON description that is missing, contradicts another, or would change the result in a way that
    /// Martlet does not know.
    case field(String, source: String, reason: String)
    /// A value that no preprocessing can have.
    case invalid(field: String, reason: String)
    /// Mean and standard deviation do not fit the number of channels.
    case channelCountMismatch(field: String, values: Int, channels: Int)
    /// The image comes out in a shape that the network does not take. `nil` extents are free.
    case inputMismatch(image: String, output: [Int], expected: [Int?])

    public var description: String {
        switch self {
        case .notChosen(let network, _):
            "nothing says how images are prepared for \(network)"
        case .scaleNotChosen:
            "the preprocessing flags do not say whether pixels are fed as 0..1 or as 0..255"
        case .presetAndFile(let preset, let file):
            "both the preset \(preset) and the preprocessing file \(file) were given"
        case .unknownPreset(let name):
            "there is no preprocessing preset named \(name)"
        case .invalidValue(let option, let value, let expected):
            "\(option) \(value): expected \(expected)"
        case .notJSON(let source, let reason):
            "the preprocessing in \(source) is not a JSON object: \(reason)"
        case .field(let field, let source, let reason):
            "the preprocessing in \(source), field \(field): \(reason)"
        case .invalid(let field, let reason):
            "the preprocessing's \(field) \(reason)"
        case .channelCountMismatch(let field, let values, let channels):
            "the preprocessing's \(field) has \(values) values for \(channels) channels"
        case .inputMismatch(let image, let output, let expected):
            "\(image) is prepared as \(output), but the network takes \(PreprocessingError.text(expected)) "
                + "(channels, height, width)"
        }
    }

    public var remedy: String? {
        switch self {
        case .notChosen(_, let beside?):
            "beside it is a description: --preprocessing \(beside); or choose a --preset, or flags (--help lists them)"
        case .notChosen(_, nil):
            "choose one: --preset NAME (\(Preprocessing.presetNames.joined(separator: ", "))); --preprocessing "
                + "FILE.json (a preprocessor_config.json will do); or flags: --resize --crop --interpolation --scale "
                + "--mean --std --channels"
        case .scaleNotChosen: "add --scale 1/255 or --scale 1"
        case .presetAndFile: "give one of them; flags such as --crop change single values of it"
        case .unknownPreset: "the presets are \(Preprocessing.presetNames.joined(separator: ", "))"
        case .invalidValue, .notJSON, .invalid: nil
        case .field: "correct the field, or describe the preprocessing with flags"
        case .channelCountMismatch: "give one value, or one for each channel"
        case .inputMismatch(_, let output, let expected):
            PreprocessingError.remedy(output: output, expected: expected)
        }
    }

    private static func text(_ extents: [Int?]) -> String {
        "[" + extents.map { $0.map(String.init) ?? "any" }.joined(separator: ", ") + "]"
    }

    private static func remedy(output: [Int], expected: [Int?]) -> String {
        guard output.count == 3, expected.count == 3 else { return "use a network that takes images" }
        var advice: [String] = []
        if let channels = expected[0], channels != output[0] {
            switch channels {
            case 1: advice.append("add --channels grey")
            case 3: advice.append("add --channels rgb or --channels bgr")
            default: return "the network does not take images: \(channels) channels"
            }
        }
        let (height, width) = (expected[1] ?? output[1], expected[2] ?? output[2])
        if height != output[1] || width != output[2] {
            let size = height == width ? "\(width)" : "\(width)x\(height)"
            advice.append(
                "add --crop \(size) (after --resize, for photographs) or --resize \(width)x\(height)")
        }
        return advice.joined(separator: "; ")
    }
}
