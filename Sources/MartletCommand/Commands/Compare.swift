import ArgumentParser
import Martlet

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show networks side by side: bytes, milliseconds and accuracy.",
        discussion: """
            Give the original first: agreement is with its answers. The networks are timed in turns, one image a run; the \
            time shown is the 10th percentile.

              martlet compare net.onnx net-fp16.onnx net-int8.onnx --images test-photos
            """)

    @Argument(help: "The networks, ONNX files.") var models: [String]
    @Option(
        name: .customLong("images"),
        help: ArgumentHelp("Images to measure accuracy on, in any form `evaluate` takes.", valueName: "data"))
    var data: String?
    @Option(help: ArgumentHelp("How long to time each network.", valueName: "s")) var seconds = 3.0
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if !(seconds > 0 && seconds < 1e6) { throw ValidationError("--seconds wants a positive number") }
    }

    func run() throws {
        try reportingErrors {
            let models = try models.map { try Model(path: $0, onlyRuns: true) }
            let line = ProgressLine()
            let compared = try Model.compared(
                models, on: try data.map { try images.open($0) }, preprocessing: try preprocessing.options(),
                seconds: seconds, pool: threads.pool, progress: { line.show($0) })
            line.finish()
            if output.json { return try Terminal.printJSON(compared) }
            var table = Table([
                ("network", .left), ("bytes", .right), ("", .right), ("ms", .right), ("", .right), ("top-1", .right),
                ("top-5", .right), ("agreement", .right),
            ])
            for network in compared {
                let size = Double(network.fileBytes) / Double(max(compared[0].fileBytes, 1))
                table.add([
                    network.path, Format.grouped(network.fileBytes), Format.fixed(size, 3),
                    Format.fixed(network.milliseconds, 3),
                    Format.fixed(network.milliseconds / compared[0].milliseconds, 2),
                    network.evaluation?.top1.map(Format.percent) ?? "",
                    network.evaluation?.top5.map(Format.percent) ?? "",
                    network.evaluation?.agreement.map(Format.percent) ?? "",
                ])
            }
            print(table.text)
        }
    }
}
