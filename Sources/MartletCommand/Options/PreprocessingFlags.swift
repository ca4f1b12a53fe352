import ArgumentParser
import Martlet

/// How images become the network's input.
struct PreprocessingFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A known preprocessing: \(Preprocessing.presetNames.joined(separator: ", ")).", valueName: "name"))
    var preset: String?

    @Option(
        help: ArgumentHelp(
            "A JSON file: Martlet's own or Hugging Face's preprocessor_config.json (for grey networks add --channels grey).",
            valueName: "file"))
    var preprocessing: String?

    @Option(help: ArgumentHelp("Resize: N (shorter side), WxH or none.", valueName: "size"))
    var resize: String?

    @Option(
        help: ArgumentHelp(
            "Filter of the resize: \(Interpolation.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "filter"))
    var interpolation: String?

    @Option(help: ArgumentHelp("Centre crop: N, WxH or none.", valueName: "size"))
    var crop: String?

    @Option(help: ArgumentHelp("What pixel values 0..255 are multiplied by, for instance 1/255.", valueName: "number"))
    var scale: String?

    @Option(
        help: ArgumentHelp(
            "Subtracted after scaling: one number or three with commas, in the order of --channels.",
            valueName: "numbers"))
    var mean: String?

    @Option(
        help: ArgumentHelp(
            "Divided by at the end: one number or three with commas, in the order of --channels.", valueName: "numbers")
    )
    var std: String?

    @Option(help: ArgumentHelp("Channels: rgb, bgr or grey.", valueName: "order"))
    var channels: String?

    /// The flags as the library takes them.
    func options() throws -> PreprocessingOptions {
        var options = PreprocessingOptions()
        options.preset = preset
        options.file = preprocessing
        options.resize = try resize.map { try Preprocessing.Resize(parsing: $0) }
        options.interpolation = try interpolation.map { try Interpolation(parsing: $0) }
        options.crop = try crop.map { try Preprocessing.Crop(parsing: $0) }
        options.scale = try scale.map { try Preprocessing.number(parsing: $0, option: "--scale") }
        options.mean = try mean.map { try Preprocessing.numbers(parsing: $0, option: "--mean") }
        options.standardDeviation = try std.map { try Preprocessing.numbers(parsing: $0, option: "--std") }
        options.channels = try channels.map { try ChannelOrder(parsing: $0) }
        return options
    }
}
