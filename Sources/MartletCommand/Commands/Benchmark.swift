import ArgumentParser
import Martlet

struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time a network on this machine.",
        discussion: "The 10th percentile is the figure to compare on a machine that others use too.")

    @Argument(help: "The network, an ONNX file.") var model: String
    @Option(help: ArgumentHelp("Images a run.", valueName: "n")) var batch = 1
    @Option(help: ArgumentHelp("How long to run.", valueName: "s")) var seconds = 3.0
    @Flag(help: "Show where the time goes, layer by layer.") var profile = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if !(1...65_536).contains(batch) { throw ValidationError("--batch wants 1 to 65536") }
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
            if profile { return try showProfile(pool) }
            let measurement = try Model(path: model).latency(batch: batch, seconds: seconds, pool: pool)
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

    private func showProfile(_ pool: ThreadPool) throws {
        let profile = try Model(path: model).profile(batch: batch, seconds: seconds, pool: pool)
        if output.json { return try Terminal.printJSON(profile) }
        var table = Table([
            ("layer", .left), ("operation", .left), ("algorithm", .left), ("output", .left), ("ms", .right),
            ("share", .right), ("GFLOP/s", .right),
        ])
        for node in profile.nodes {
            table.add([
                node.name, node.operation, node.algorithm, node.output, Format.fixed(node.milliseconds, 3),
                Format.percent(node.milliseconds / profile.milliseconds),
                node.multiplyAdds > 0 ? Format.fixed(node.gigaflops, 1) : "",
            ])
        }
        table.add(["total", "", "", "", Format.fixed(profile.milliseconds, 3), "", ""])
        print(table.text)
    }
}
