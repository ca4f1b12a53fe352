import ArgumentParser
import Martlet

struct Compress: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace layers by low-rank factors and write the smaller network.",
        discussion: """
            Methods: 
            \(DecompositionMethod.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

            svd and svd-sigma are for 1x1 convolutions and fully connected layers, all others for convolutions of more \
            than one tap. A kind of layer without a method, the first convolution, grouped layers and layers that would not \
            get smaller stay as they are.

            Ranks come from VBMF: R = R_max - ratio (R_max - R_VBMF), so a larger ratio makes a smaller network; or from a \
            JSON file that maps layer names to [output rank, input rank] (Tucker-2) or [rank]. The preprocessing, where it \
            is known, is stored in the output.

            Layers that are done are kept in a folder beside the output until it is written: after Ctrl-C, the same \
            command with --resume goes on from there.

            The table shows the squared relative errors tr((W-V) Sigma (W-V)^T) / tr(W Sigma W^T) and |W-V|^2 / |W|^2; with \
            --json there is the error after each sweep too.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Option(help: ArgumentHelp("Statistics from `martlet sigma`.", valueName: "file")) var sigma: String?
    @Option(
        name: .customLong("images"),
        help: ArgumentHelp(
            "Images to gather Sigma from, in any form `evaluate` takes; instead of --sigma.", valueName: "data"))
    var data: String?
    @OptionGroup(title: "Gradients") var gradients: GradientOptions
    @OptionGroup(title: "How small") var budget: BudgetOptions
    @OptionGroup(title: "The recipe for a budget") var recipe: RecipeOptions
    @OptionGroup(title: "Which layers") var methods: MethodOptions
    @Option(
        help: ArgumentHelp(
            "0 keeps full ranks, 1 takes VBMF's: larger means smaller. 0.5 unless told.", valueName: "ratio"))
    var vbmfRatio: Double?
    @Option(
        help: ArgumentHelp(
            "Ranks by layer instead, {\"conv1\": [output, input]}; layers not named stay.", valueName: "file.json"))
    var ranks: String?
    @OptionGroup(title: "The search") var search: SearchOptions
    @Option(name: [.short, .long], help: ArgumentHelp("Where the network goes.", valueName: "small.onnx"))
    var output: String
    @Option(
        help: ArgumentHelp(
            "Then learn from --images, in so many passes, what each layer of the original puts out; no labels needed.",
            valueName: "passes"))
    var refine: Int?
    @Option(help: "Then hold its numbers in fewer bits: fp16, or int8 (with --images), as `quantize` does.")
    var then: Precision?
    @Flag(help: "Go on where the same command was interrupted.") var resume = false
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var format: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if let refine {
            if data == nil { throw ValidationError("--refine needs --images DATA") }
            if !(1...10_000).contains(refine) { throw ValidationError("--refine wants 1 to 10000 passes") }
        }
        if then == .int8, data == nil { throw ValidationError("--then int8 needs --images DATA") }
        if budget.budget != nil {
            if vbmfRatio != nil || ranks != nil {
                throw ValidationError("--budget chooses the ranks: it does not go with --vbmf-ratio or --ranks")
            }
            if sigma == nil, data == nil { throw ValidationError("--budget needs --images DATA") }
            if budget.recipe != .paper { return }
        }
        if sigma != nil, data != nil { throw ValidationError("give --sigma or --images, not both") }
        if vbmfRatio != nil, ranks != nil { throw ValidationError("give --vbmf-ratio or --ranks, not both") }
        if sigma == nil, data == nil {
            let wanted =
                [methods.method ?? (methods.only.conv == nil ? .tucker2ALSSigma : nil)]
                + methods.only.choices.map(\.choice.method)
            if let method = wanted.compactMap({ $0 }).first(where: \.needsStatistics) {
                throw ValidationError("the method \(method.rawValue) needs --sigma FILE or --images DATA")
            }
        }
    }

    /// How layers are fitted. Terms of CP that are large and cancel each other are what rounding harms most.
    var fitting: DecompositionOptions {
        var options = search.options
        if then == .int8 { options.isBounded = true }
        return options
    }

    func run() throws {
        try reportingErrors {
            if let text = budget.budget, budget.recipe != .paper { return try run(budget: text) }
            let model = try Model(path: model)
            let rules = try methods.rules()
            let choice: RankChoice
            if let text = budget.budget {
                choice = .vbmf(
                    ratio: try VBMFBudget(rules: rules, pool: threads.pool).ratio(
                        for: try Budget(parsing: text), of: model.network))
            } else {
                choice = try ranks.map { try RankChoice(contentsOf: $0) } ?? .vbmf(ratio: vbmfRatio ?? 0.5)
            }
            var compressor = Compressor(rules: rules, ranks: choice, pool: threads.pool)
            compressor.options = fitting
            compressor.seedCount = search.seeds
            let options = try preprocessing.options()
            try OutputFile.checkWritable(output)
            Interruption.watch()
            let line = ProgressLine()
            func show(_ progress: JobProgress) throws {
                try Interruption.check()
                line.show(progress)
            }
            var statistics = try sigma.map { try Statistics(path: $0) }
            if let data {
                statistics = try model.gatherStatistics(
                    on: try images.open(data), preprocessing: try model.preprocessing(options), pool: compressor.pool,
                    progress: show)
            }
            let pool = compressor.pool
            try gradients.apply(
                to: &compressor, needsGradients: rules.needsGradients,
                gather: data.map { data in
                    {
                        try model.gatherGradients(
                            on: try images.open(data), preprocessing: try model.preprocessing(options),
                            source: rules.needsGradients ? .predictions : .scores,
                            pool: pool, progress: show)
                    }
                })
            var finish: Finish?
            let report = try keepingFinishedLayers { finished in
                compressor.finishedLayers = finished
                let (compressed, report) = try model.compressed(
                    by: compressor, statistics: statistics, preprocessing: options,
                    checkCancellation: { try Interruption.check() }, progress: show)
                line.finish()
                finish = try self.finish(compressed, original: model, progress: show)
                line.finish()
                return report
            }
            if format.json { return try Terminal.printJSON(WithFinish(report: report, finish: finish)) }
            printReport(report)
            finish?.show()
            print("\nwritten to \(output)")
        }
    }

    /// Runs `body` with the folder that keeps finished layers. What is in it stays, for `--resume`, only if the work is
    /// interrupted.
    func keepingFinishedLayers<Result>(_ body: (FinishedLayers) throws -> Result) throws -> Result {
        let finished = FinishedLayers(path: output + ".layers")
        if !resume { finished.remove() }
        try finished.prepare()
        do {
            let result = try body(finished)
            finished.remove()
            return result
        } catch let error as Interrupted {
            Terminal.clearProgress()
            Terminal.writeError(
                "interrupted; the same command with --resume goes on from what is in \(finished.path)\n")
            throw ExitCode(error.exitCode)
        } catch {
            finished.remove()
            throw error
        }
    }

    func printReport(_ report: CompressionReport) {
        var columns: [(title: String, alignment: Table.Alignment)] = [
            ("layer", .left), ("kernel", .left), ("method", .left), ("ranks", .left), ("parameters", .right),
            ("MACs", .right), ("sigma error", .right), ("frobenius error", .right),
        ]
        let isComplete = report.layers.contains { $0.completeError != nil }
        if isComplete { columns.insert(("complete error", .right), at: 6) }
        let isTimed = report.layers.contains { $0.millisecondsBefore != nil }
        if isTimed { columns.append(("ms (predicted)", .right)) }
        let hasSeeds = report.layers.contains { $0.seeds != nil }
        if hasSeeds { columns.append(("least, median, largest error of \(search.seeds) seeds", .left)) }
        columns.append(("", .left))
        var table = Table(columns)
        func change(_ before: Int, _ after: Int) -> String {
            before == after ? Format.grouped(before) : "\(Format.grouped(before)) -> \(Format.grouped(after))"
        }
        for layer in report.layers {
            var row: [String] = [layer.title, Format.extents(layer.shape), layer.method?.rawValue ?? ""]
            row.append(layer.ranks.map(Format.extents) ?? "")
            row.append(change(layer.parametersBefore, layer.parametersAfter))
            row.append(change(layer.multiplyAddsBefore, layer.multiplyAddsAfter))
            if isComplete { row.append(Format.error(layer.completeError)) }
            row.append(Format.error(layer.sigmaError))
            row.append(Format.error(layer.frobeniusError))
            if isTimed { row.append(times(layer)) }
            if hasSeeds { row.append(layer.seeds.map(spread) ?? "") }
            row.append(layer.kept.map { "kept: \($0)" } ?? "")
            table.add(row)
        }
        var total: [String] = ["total", "", "", "", change(report.parametersBefore, report.parametersAfter)]
        total.append(change(report.multiplyAddsBefore, report.multiplyAddsAfter))
        total += [String](repeating: "", count: isComplete ? 3 : 2)
        if isTimed { total.append(wholeTimes(report)) }
        total += [String](repeating: "", count: hasSeeds ? 2 : 1)
        table.add(total)
        print(table.text)
        let rate = Format.number(report.compressionRate)
        let work = Double(report.multiplyAddsBefore) / Double(max(report.multiplyAddsAfter, 1))
        print("\n\(rate) times fewer parameters, \(Format.number(work)) times fewer MACs")
    }

    private func times(_ layer: CompressionReport.Layer) -> String {
        guard let before = layer.millisecondsBefore else { return "" }
        guard let after = layer.millisecondsAfter else { return Format.fixed(before, 3) }
        let predicted = layer.millisecondsPredicted.map { " (\(Format.fixed($0, 3)))" } ?? ""
        return "\(Format.fixed(before, 3)) -> \(Format.fixed(after, 3))\(predicted)"
    }

    private func wholeTimes(_ report: CompressionReport) -> String {
        guard let before = report.millisecondsBefore, let after = report.millisecondsAfter else { return "" }
        return "\(Format.fixed(before, 3)) -> \(Format.fixed(after, 3))"
    }

    private func spread(_ seeds: CompressionReport.Layer.Spread) -> String {
        let range = seeds.range
        return [range.least, range.median, range.largest].map { Format.error($0) }.joined(separator: "  ")
    }
}
