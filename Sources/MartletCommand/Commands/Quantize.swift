import ArgumentParser
import Martlet

/// What a network's numbers are held in.
enum Precision: String, CaseIterable, ExpressibleByArgument {
    case fp16, int8
}

struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hold a network's numbers in fewer bits and write the smaller network.",
        discussion: """
            fp16 rounds the weights to half precision: half the bytes, and nearly the same answers. It needs no images.

            int8 rounds weights and activations to 8 bits: a quarter of the bytes, and faster where the processor has \
            instructions for it. It looks at images (unlabelled ones will do; a few hundred like those the network is \
            for) to find the range of each activation. The file has QuantizeLinear and DequantizeLinear, as ONNX \
            Runtime and OpenVINO take them.

            The errors shown are those of each layer's result, |y - y'|^2 / |y|^2, on the images.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Option(help: "fp16 or int8.") var precision: Precision
    @Option(
        name: .customLong("images"),
        help: ArgumentHelp("Calibration images, in any form `evaluate` takes; for int8.", valueName: "data"))
    var data: String?
    @Flag(
        help:
            "With fp16: activations too, for runtimes that compute in half precision; Martlet computes in single."
    )
    var activations = false
    @Option(
        help: ArgumentHelp(
            "Leave layers in half precision until top-1 on these images falls by no more (agreement, without labels).",
            valueName: "points"))
    var maxDrop: Double?
    @Option(name: [.short, .long], help: ArgumentHelp("Where the network goes.", valueName: "small.onnx"))
    var output: String
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var format: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if precision == .int8, data == nil { throw ValidationError("--precision int8 needs --images DATA") }
        if precision == .fp16, data != nil || maxDrop != nil {
            throw ValidationError("--images and --max-drop go with --precision int8")
        }
        if precision == .int8, activations { throw ValidationError("--activations goes with --precision fp16") }
        if let maxDrop, !(maxDrop >= 0 && maxDrop <= 100) { throw ValidationError("--max-drop wants 0 to 100 points") }
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model)
            try OutputFile.checkWritable(output)
            Interruption.watch()
            let (quantized, report) = try precision.quantize(
                model, data: try data.map { try images.open($0) }, preprocessing: try preprocessing.options(),
                activations: activations, maximumDrop: maxDrop, pool: threads.pool)
            try ONNXWriter.write(quantized.network, to: output)
            if format.json { return try Terminal.printJSON(report) }
            report.show()
            print("\nwritten to \(output)")
        }
    }
}

extension Precision {
    /// A model in this precision, and what became of its layers; with a line of progress.
    func quantize(
        _ model: Model, data: (any DataSet)?, preprocessing: PreprocessingOptions, activations: Bool = false,
        maximumDrop: Double? = nil, pool: ThreadPool
    ) throws -> (model: Model, report: QuantizationReport) {
        guard self == .int8 else { return try model.halved(preprocessing: preprocessing, activations: activations) }
        guard let data else { throw QuantizationError.noImages }
        let line = ProgressLine()
        defer { line.finish() }
        return try model.quantized(
            by: StaticQuantizer(pool: pool), on: data, preprocessing: try model.preprocessing(preprocessing),
            maximumDrop: maximumDrop
        ) { progress in
            try Interruption.check()
            line.show(progress)
        }
    }
}

extension QuantizationReport {
    /// Prints a table of the layers.
    func show() {
        var table = Table([("layer", .left), ("weights", .left), ("range of input", .left), ("error", .right)])
        for layer in layers {
            table.add([
                layer.name, layer.precision, layer.range?.rawValue ?? "",
                layer.error.map { Format.number($0) } ?? "",
            ])
        }
        print(table.text)
        let rate = Double(bytesBefore) / Double(max(bytesAfter, 1))
        print(
            "\n\(Format.bytes(bytesBefore)) of constants -> \(Format.bytes(bytesAfter)), \(Format.number(rate)) times fewer"
        )
        if let drop { print("\(Format.fixed(drop, 2)) points lost on the calibration images") }
    }
}
