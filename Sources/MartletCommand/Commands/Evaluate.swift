import ArgumentParser
import Martlet

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a network's accuracy, or how far it agrees with another.",
        discussion: """
            DATA is a folder of class folders, a folder of images, a CSV file of path and label, a CIFAR file (.bin) or \
            folder of them, an IDX file with its labels beside it, or a single image. With class folders give the network's class map (--labels), or the folders \
            are numbered in the order of their names.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "The images.") var data: String
    @Option(help: ArgumentHelp("A network to compare the answers with.", valueName: "model")) var reference: String?
    @Flag(help: "With --json: each image's answer and label too, to compare networks image by image.")
    var answers = false
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if answers, !output.json { throw ValidationError("--answers goes with --json") }
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model, onlyRuns: true)
            let options = try preprocessing.options()
            let preprocessing = try model.preprocessing(options)
            let other = try reference.map { path in
                let reference = try Model(path: path, onlyRuns: true)
                // What the reference's own file says counts for it; without that it is shown what the network is shown.
                let own = (try? reference.preprocessing(PreprocessingOptions())) ?? preprocessing
                return (model: reference, preprocessing: options == PreprocessingOptions() ? own : preprocessing)
            }
            let data = try images.open(data)
            if data.labelSource == .folderOrder {
                Terminal.writeError(
                    "warning: classes are numbered in the order of the folders' names; --labels says better\n")
            }
            let pool = threads.pool
            let execution = try execution.options(pool: pool) { model }
            let line = ProgressLine()
            let result = try model.evaluate(
                on: data, preprocessing: preprocessing, reference: other, keepsAnswers: answers, pool: pool,
                options: execution,
                progress: { line.show($0) })
            line.finish()
            if output.json { return try Terminal.printJSON(result) }
            print("images     \(Format.grouped(result.images))  (\(data))")
            if let top1 = result.top1, let interval = result.top1Interval, let top5 = result.top5,
                let loss = result.loss
            {
                print(
                    "top-1      \(Format.percent(top1))  (95 %: \(Format.percent(interval[0])) to \(Format.percent(interval[1])))"
                )
                print("top-5      \(Format.percent(top5))")
                print("loss       \(Format.number(loss))")
            }
            if let agreement = result.agreement {
                print("agreement  \(Format.percent(agreement))  with \(reference ?? "")")
            }
        }
    }
}
