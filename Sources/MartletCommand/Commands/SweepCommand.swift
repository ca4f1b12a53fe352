import ArgumentParser
import Martlet

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Compress a network to several budgets by several methods and compare.",
        discussion: """
            Writes sweep.json, sweep.csv and sweep.html (one page that needs nothing else) into a folder. What is done is \
            kept there: the same command goes on where it was interrupted. The images that networks are evaluated on should \
            be others than those they are calibrated on.

            Methods: \(SweepMethod.names.joined(separator: ", ")).
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "The images to evaluate on.") var data: String
    @Option(
        name: .customLong("images"), help: ArgumentHelp("The images to calibrate on.", valueName: "data"))
    var calibration: String
    @Option(help: ArgumentHelp("Statistics of these images from `martlet sigma`.", valueName: "file"))
    var sigma: String?
    @Option(help: ArgumentHelp("Use at most n images to calibrate on.", valueName: "n")) var calibrationLimit: Int?
    @Option(
        help: ArgumentHelp(
            "Budgets, separated by commas: parts of the parameters (0.5), or as --budget of compress takes them.",
            valueName: "list"))
    var budgets = "0.8,0.6,0.5,0.4,0.3"
    @Option(name: .customLong("methods"), help: ArgumentHelp("Methods, separated by commas.", valueName: "list"))
    var methodList = "best,paper"
    @Option(name: [.short, .long], help: ArgumentHelp("Where results go.", valueName: "folder"))
    var output: String
    @OptionGroup(title: "The recipe") var recipe: RecipeOptions
    @OptionGroup(title: "Which layers") var layers: LayerFlags
    @OptionGroup(title: "Gradients") var gradients: GradientOptions
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var format: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if try budgetList().isEmpty { throw ValidationError("--budgets wants at least one") }
        if try methods().isEmpty { throw ValidationError("--methods wants at least one") }
        if let calibrationLimit, calibrationLimit < 1 { throw ValidationError("--calibration-limit wants at least 1") }
    }

    private func budgetList() throws -> [Budget] {
        try budgets.split(separator: ",").map { text in
            let text = text.contains("=") ? String(text) : "params=\(text)"
            do { return try Budget(parsing: text) } catch { throw ValidationError("--budgets: \(error)") }
        }
    }

    private func methods() throws -> [SweepMethod] {
        try methodList.split(separator: ",").map { name in
            guard let method = SweepMethod(name: String(name)) else {
                throw ValidationError("--methods wants some of \(SweepMethod.names.joined(separator: ", "))")
            }
            return method
        }
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model)
            let pool = threads.pool
            let options = try preprocessing.options()
            let prepared = try model.preprocessing(options)
            let (budgets, methods) = (try budgetList(), try methods())
            var calibrating = try DataSets.open(calibration, labels: images.labels)
            if let calibrationLimit { calibrating = try calibrating.limited(to: calibrationLimit) }
            let evaluating = try images.open(data)
            let latency = budgets.contains { $0.measure == .latency }
            var compressor = try recipe.compressor(
                budgets[0], model: model, pool: pool, search: DecompositionOptions(), timesLatency: latency)
            let rules = layers.rules(method: .tucker2ALSSigma)
            compressor.search.restrict(to: layers, rules: rules)
            Interruption.watch()
            let line = ProgressLine()
            func show(_ progress: JobProgress) throws {
                try Interruption.check()
                line.show(progress)
            }
            let viewed = recipe.viewed(calibrating)
            let statistics =
                try sigma.map { try Statistics(path: $0) }
                ?? model.gatherStatistics(on: viewed, preprocessing: prepared, pool: pool, progress: show)
            try gradients.apply(
                to: &compressor.compressor, needsGradients: compressor.weights == .gradients
            ) {
                try model.gatherGradients(
                    on: viewed, preprocessing: prepared, source: .scores, pool: pool, progress: show)
            }
            let comparison = try recipe.comparison(model, calibrating, prepared, compressor: compressor)
            var command = "martlet compress \(self.model) --images \(calibration)"
            if let sigma { command += " --sigma \(sigma)" }
            if let calibrationLimit { command += " --limit \(calibrationLimit)" }
            command += recipe.flags + gradients.flags + layers.flags
            var sweep = Sweep(
                budgets: budgets, methods: methods, compressor: compressor, folder: output, command: command)
            sweep.paperRules = rules
            let result: SweepResult
            do {
                result = try sweep.run(
                    model, statistics: statistics, comparison: comparison, images: (viewed, prepared), on: evaluating,
                    preprocessing: prepared, checkCancellation: { try Interruption.check() }, progress: show)
            } catch let error as Interrupted {
                Terminal.clearProgress()
                Terminal.writeError("interrupted; the same command goes on from what is in \(output)\n")
                throw ExitCode(error.exitCode)
            }
            line.finish()
            if format.json { return try Terminal.printJSON(result) }
            printTable(result)
            print("\nwritten to \(output)/sweep.html, sweep.csv and sweep.json")
        }
    }

    private func printTable(_ result: SweepResult) {
        var table = Table([
            ("method", .left), ("budget", .left), ("parameters", .right), ("MACs", .right), ("ms", .right),
            ("top-1", .right), ("95 %", .right), ("agreement", .right), ("", .left),
        ])
        func add(_ method: String, _ budget: String, _ figures: SweepResult.Figures?, _ problem: String?) {
            let evaluation = figures?.evaluation
            let interval = evaluation?.top1Interval.map { "\(Format.percent($0[0])) to \(Format.percent($0[1]))" }
            table.add([
                method, budget, figures.map { Format.grouped($0.parameters) } ?? "",
                figures.map { Format.grouped($0.multiplyAdds) } ?? "",
                figures?.milliseconds.map { Format.fixed($0, 3) } ?? "", evaluation?.top1.map(Format.percent) ?? "",
                interval ?? "", evaluation?.agreement.map(Format.percent) ?? "", problem ?? "",
            ])
        }
        add("original", "", result.original, nil)
        for point in result.points { add(point.method, point.budget, point.figures, point.problem) }
        print(table.text)
    }
}
