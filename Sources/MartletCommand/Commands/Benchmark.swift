import ArgumentParser
import Martlet

struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time a network on this machine.",
        discussion: "The 10th percentile is the figure to compare on a machine that others use too.")

    @Argument(help: "The network, an ONNX file; none with --roofline.") var model: String?
    @Option(help: ArgumentHelp("Images a run.", valueName: "n")) var batch = 1
    @Option(help: ArgumentHelp("How long to run.", valueName: "s")) var seconds = 3.0
    @Flag(help: "Show where the time goes, layer by layer, beside what the machine can do.") var profile = false
    @Flag(help: "Measure what the machine can do at most.") var roofline = false
    @Flag(help: "Time a pass forward and backward, as in training.") var training = false
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if !(1...65_536).contains(batch) { throw ValidationError("--batch wants 1 to 65536") }
        if roofline, execution.tune || execution.halfLinear {
            throw ValidationError("--tune and --half-linear want a network")
        }
        if training, profile || roofline || execution.tune || execution.halfLinear {
            throw ValidationError("--training goes with --batch, --seconds, --threads and --json only")
        }
        if (model == nil) != roofline { throw ValidationError("give either a network or --roofline") }
        if !(seconds > 0 && seconds < 1e6) { throw ValidationError("--seconds wants a positive number") }
    }

    private struct Figures: Codable {
        var latencies: [Double]
        var p10: Double
        var p50: Double
        var p90: Double
        var batch: Int
        var threads: Int
        var plannedBytes: Int
        var peakBytes: Int

        enum CodingKeys: String, CodingKey {
            case p10, p50, p90, batch, threads
            case latencies = "latencies_ms"
            case plannedBytes = "planned_bytes"
            case peakBytes = "peak_bytes"
        }
    }

    func run() throws {
        try reportingErrors {
            let pool = threads.pool
            guard let model else { return try showRoofline(pool) }
            if profile { return try showProfile(model, pool) }
            let measurement = try measured(model, pool)
            let figures = Figures(
                latencies: measurement.latencies, p10: measurement.percentile(10), p50: measurement.percentile(50),
                p90: measurement.percentile(90), batch: batch, threads: pool.threadCount,
                plannedBytes: measurement.plannedBytes, peakBytes: ProcessMemory.peakBytes)
            if output.json { return try Terminal.printJSON(figures) }
            print(
                "runs     \(figures.latencies.count), batch \(batch), \(figures.threads) \(figures.threads == 1 ? "thread" : "threads")"
            )
            print("p10      \(Format.milliseconds(figures.p10))")
            print("p50      \(Format.milliseconds(figures.p50))")
            print("p90      \(Format.milliseconds(figures.p90))")
            print(
                "memory   \(Format.bytes(figures.peakBytes)) at most, \(Format.bytes(figures.plannedBytes)) for intermediate values"
            )
        }
    }

    private func measured(_ model: String, _ pool: ThreadPool) throws -> LatencyMeasurement {
        if training { return try Model(path: model).trainingLatency(batch: batch, seconds: seconds, pool: pool) }
        let options = try execution.options(pool: pool) { try Model(path: model, onlyRuns: true) }
        return try Model(path: model, onlyRuns: true).latency(
            batch: batch, seconds: seconds, pool: pool, options: options)
    }

    private func showRoofline(_ pool: ThreadPool) throws {
        let roofline = try Roofline(pool: pool, seconds: seconds)
        if output.json { return try Terminal.printJSON(roofline) }
        print(
            "kernels     \(roofline.instructionSet), \(roofline.threads) \(roofline.threads == 1 ? "thread" : "threads")"
        )
        print("arithmetic  \(Format.fixed(roofline.gigaflops, 1)) GFLOP/s in single precision")
        print("memory      \(Format.fixed(roofline.memoryGigabytes, 1)) GB/s read")
        print("cache       \(Format.fixed(roofline.cacheGigabytes, 1)) GB/s read from half a mebibyte a thread")
    }

    private struct ProfileFigures: Encodable {
        var profile: ExecutionProfile
        var roofline: Roofline

        func encode(to encoder: any Encoder) throws {
            try profile.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(roofline, forKey: .roofline)
        }

        enum CodingKeys: CodingKey { case roofline }
    }

    private func showProfile(_ model: String, _ pool: ThreadPool) throws {
        let model = try Model(path: model, onlyRuns: true)
        let profile = try model.profile(
            batch: batch, seconds: seconds, pool: pool, options: try execution.options(pool: pool) { model })
        let roofline = try Roofline(pool: pool, seconds: min(seconds, 1))
        if output.json { return try Terminal.printJSON(ProfileFigures(profile: profile, roofline: roofline)) }
        var table = Table([
            ("layer", .left), ("operation", .left), ("algorithm", .left), ("output", .left), ("ms", .right),
            ("share", .right), ("GFLOP/s", .right), ("of peak", .right),
        ])
        for node in profile.nodes {
            table.add([
                node.name, node.operation, node.algorithm, node.output, Format.fixed(node.milliseconds, 3),
                Format.percent(node.milliseconds / profile.milliseconds),
                node.multiplyAdds > 0 ? Format.fixed(node.gigaflops, 1) : "",
                node.multiplyAdds > 0 ? Format.percent(node.gigaflops / roofline.gigaflops) : "",
            ])
        }
        let total = profile.nodes.reduce(0) { $0 + $1.multiplyAdds }
        let rate = 2 * Double(total) / (profile.milliseconds * 1e6)
        table.add([
            "total", "", "", "", Format.fixed(profile.milliseconds, 3), "", Format.fixed(rate, 1),
            Format.percent(rate / roofline.gigaflops),
        ])
        print(table.text)
        print(
            "\npeak: \(Format.fixed(roofline.gigaflops, 1)) GFLOP/s, \(Format.fixed(roofline.memoryGigabytes, 1)) GB/s from memory "
                + "(\(roofline.instructionSet), \(roofline.threads) \(roofline.threads == 1 ? "thread" : "threads"))")
        print("GFLOP/s count the layer's definition: above the peak where the algorithm saves multiplications.")
    }
}
