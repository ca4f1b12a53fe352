import ArgumentParser
import Martlet

extension GradientStatistics.Source: ExpressibleByArgument {}

struct GatherGradients: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gather",
        abstract: "Gather the gradients at every layer: what the network makes of an error there.",
        discussion: """
            For each layer the second moment of the gradients at its output (Lambda), and for each weight its Fisher \
            information. The file (safetensors) serves `compress --gradients`, for --norm complete, --weights gradients and \
            --method fw-lra, for this network only.

            What is differentiated: scores, all class scores alike; predictions, the cross-entropy with labels drawn from \
            the network's own answer; labels, that with the images' labels, the only one that needs them.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "The images, in any form `evaluate` takes.") var data: String
    @Option(name: [.short, .long], help: ArgumentHelp("Where the statistics go.", valueName: "grads.safetensors"))
    var output: String
    @Option(help: ArgumentHelp("What is differentiated: labels, predictions or scores.", valueName: "what"))
    var of = GradientStatistics.Source.scores
    @Option(help: ArgumentHelp("Go over each image n times, with other random numbers.", valueName: "n"))
    var draws = 1
    @Option(help: ArgumentHelp("The seed of random numbers.", valueName: "n")) var seed: UInt64 = 0
    @OptionGroup var part: ShardOption
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var format: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if !(1...10_000).contains(draws) { throw ValidationError("--draws wants 1 to 10000") }
    }

    private struct Summary: Codable {
        var output: String
        var images: Int
        var layers: Int
        var of: GradientStatistics.Source
        var seconds: Double
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model)
            let preprocessing = try model.preprocessing(try preprocessing.options())
            let data = try images.open(data)
            try OutputFile.checkWritable(output)
            Interruption.watch()
            let start = ContinuousClock.now
            let line = ProgressLine()
            let statistics = try model.gatherGradients(
                on: data, preprocessing: preprocessing, source: of, draws: draws, seed: seed, shard: part.part(),
                pool: threads.pool
            ) { progress in
                try Interruption.check()
                line.show(progress)
            }
            line.finish()
            try statistics.write(to: output)
            let summary = Summary(
                output: output, images: statistics.provenance.images, layers: statistics.layerNames.count, of: of,
                seconds: (ContinuousClock.now - start) / .seconds(1))
            if format.json { return try Terminal.printJSON(summary) }
            print(
                "\(output): \(summary.layers) layers over \(Format.grouped(summary.images)) images, "
                    + "\(Format.duration(summary.seconds))")
        }
    }
}
