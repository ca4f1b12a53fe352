import ArgumentParser
import Martlet

struct GatherSigma: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gather",
        abstract: "Gather the second moment (Sigma) of every layer's input.",
        discussion: """
            The images need no labels, and need not be those the network was trained on. A few hundred do for most \
            networks. The file (safetensors) serves `compress --sigma` again and again, for this network only.

            Every few minutes, and on SIGINT or SIGTERM, the sums so far go to FILE.checkpoint; the same command with \
            --resume goes on from there and ends with the same bits.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "The images, in any form `evaluate` takes.") var data: String
    @Option(name: [.short, .long], help: ArgumentHelp("Where the statistics go.", valueName: "stats.safetensors"))
    var output: String
    @OptionGroup var images: DataOptions
    @OptionGroup var proxy: ProxyOptions
    @OptionGroup var gathering: GatheringFlags
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var format: OutputOptions
    @OptionGroup var threads: ThreadOptions

    private struct Summary: Codable {
        var output: String
        var images: Int
        var layers: Int
        var seconds: Double
        var passes: Int
        var hadEnough: Bool
        var change: [String: Double]?
        var expectedBytes: Int
        var peakBytes: Int
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model)
            let preprocessing = try model.preprocessing(try preprocessing.options())
            let data = try proxy.open(data, images)
            try OutputFile.checkWritable(output)
            var options = try gathering.options()
            options.seed = proxy.seed
            options.checkpoint = output + ".checkpoint"
            options.shouldStop = { Interruption.signal != 0 }
            Interruption.watch()
            let start = ContinuousClock.now
            let line = ProgressLine()
            let result: GatheringResult
            do {
                result = try model.gather(
                    on: data, preprocessing: preprocessing, options: options, pool: threads.pool,
                    announce: { demand, passes in
                        let bytes = passes == 1 ? demand.bytes : options.memory ?? demand.bytes
                        Terminal.writeError(
                            "up to \(Format.bytes(bytes)) of memory, \(passes) \(passes == 1 ? "pass" : "passes")\n")
                    }, progress: { line.show($0) })
            } catch let error as GatheringInterrupted {
                line.finish()
                Terminal.writeError("\(error)\n" + (error.remedy.map { "  \($0)\n" } ?? ""))
                throw ExitCode(128 + Interruption.signal)
            }
            line.finish()
            try result.statistics.write(to: output)
            options.removeLeftovers(passes: result.passes)
            let summary = Summary(
                output: output, images: result.statistics.provenance.images,
                layers: result.statistics.layerNames.count, seconds: (ContinuousClock.now - start) / .seconds(1),
                passes: result.passes, hadEnough: result.hadEnough, change: result.changes,
                expectedBytes: result.expectedBytes, peakBytes: ProcessMemory.peakBytes)
            if format.json { return try Terminal.printJSON(summary) }
            report(summary)
        }
    }

    private func report(_ summary: Summary) {
        print(
            "\(output): \(summary.layers) layers over \(Format.grouped(summary.images)) images, "
                + "\(Format.duration(summary.seconds))")
        guard let change = summary.change?.sorted(by: { ($0.value, $1.key) > ($1.value, $0.key) }),
            let most = change.first
        else { return }
        let median = change[change.count / 2].value
        print(
            "Sigma of one half of the images differs from that of the other by \(Format.percent(median)) in the median "
                + "layer, \(Format.percent(most.value)) in \(most.key)")
        if summary.hadEnough { print("that was enough: the other images were not looked at") }
    }
}
