import ArgumentParser
import Martlet

struct GatherSigma: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gather",
        abstract: "Gather the second moment (Sigma) of every layer's input.",
        discussion: """
            The images need no labels, and need not be those the network was trained on. A few hundred do for most \
            networks. The file (safetensors) serves `compress --sigma` again and again, for this network only.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "The images, in any form `evaluate` takes.") var data: String
    @Option(name: [.short, .long], help: ArgumentHelp("Where the statistics go.", valueName: "stats.safetensors"))
    var output: String
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var format: OutputOptions
    @OptionGroup var threads: ThreadOptions

    private struct Summary: Codable {
        var output: String
        var images: Int
        var layers: Int
        var seconds: Double
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model)
            let preprocessing = try model.preprocessing(try preprocessing.options())
            let data = try images.open(data)
            try OutputFile.checkWritable(output)
            let start = ContinuousClock.now
            let line = ProgressLine()
            let statistics = try model.gatherStatistics(
                on: data, preprocessing: preprocessing, pool: threads.pool, progress: { line.show($0) })
            line.finish()
            try statistics.write(to: output)
            let summary = Summary(
                output: output, images: statistics.provenance.images, layers: statistics.layerNames.count,
                seconds: (ContinuousClock.now - start) / .seconds(1))
            if format.json { return try Terminal.printJSON(summary) }
            print(
                "\(output): \(summary.layers) layers over \(Format.grouped(summary.images)) images, "
                    + "\(Format.duration(summary.seconds))")
        }
    }
}
