import ArgumentParser
import Martlet

extension Compress {
    /// Compresses to a budget.
    func run(budget text: String) throws {
        let model = try Model(path: model)
        let budget = try Budget(parsing: text)
        let pool = threads.pool
        var compressor = BudgetCompressor(budget: budget, pool: pool)
        compressor.weights = try self.budget.weightChoice()
        compressor.rounds = self.budget.rounds
        compressor.isSequential = self.budget.sequential
        compressor.search.rules = try methods.rules()
        compressor.search.rules.includesFirstConvolution = true
        compressor.search.methods = try self.budget.methods()
        for (kind, choice) in [
            (LayerKind.convolution, methods.conv), (.pointwise, methods.pointwise), (.fullyConnected, methods.linear),
        ] {
            if let choice { compressor.search.methods[kind] = choice.method.map { [$0] } }
        }
        compressor.search.rankStep = self.budget.rankStep
        compressor.search.centres = self.budget.centred
        compressor.search.options = search.options
        compressor.compressor.options = search.options
        compressor.compressor.centres = self.budget.centred
        if self.budget.gate != .open || budget.measure == .latency {
            var timing = BudgetCompressor.Timing(shape: try model.timedShape(batch: 1))
            timing.cache = self.budget.latencyCache ?? model.latencyCache(threads: pool.threadCount)
            timing.gate = self.budget.gate
            compressor.timing = timing
        }
        let options = try preprocessing.options()
        try OutputFile.checkWritable(output)
        Interruption.watch()
        let line = ProgressLine()
        func show(_ progress: JobProgress) throws {
            try Interruption.check()
            line.show(progress)
        }
        let data = try data.map { try images.open($0) }
        let seen = self.budget.views
        let viewed: (any DataSet)? = seen > 1 ? data.map { AugmentedImages($0, views: seen) } : data
        let prepared = try data == nil ? nil : model.preprocessing(options)
        let statistics: Statistics
        if let sigma {
            statistics = try Statistics(path: sigma)
        } else if let viewed, let prepared {
            statistics = try model.gatherStatistics(
                on: viewed, preprocessing: prepared, pool: pool, progress: show)
        } else {
            throw ValidationError("give --images or --sigma")
        }
        var comparison: OutputComparison?
        if let data, let prepared, case .measured = compressor.weights {
            let probes = data.count > self.budget.probes ? try data.limited(to: self.budget.probes) : data
            comparison = try model.outputs(on: probes, preprocessing: prepared, pool: pool)
        }
        let finished = FinishedLayers(path: output + ".layers")
        if !resume { finished.remove() }
        try finished.prepare()
        compressor.compressor.finishedLayers = finished
        do {
            let (compressed, result) = try model.compressed(
                by: compressor, statistics: statistics, comparison: comparison,
                images: prepared.flatMap { prepared in viewed.map { ($0, prepared) } }, preprocessing: options,
                checkCancellation: { try Interruption.check() }, progress: show)
            line.finish()
            try ONNXWriter.write(compressed.network, to: output)
            finished.remove()
            if format.json { return try Terminal.printJSON(BudgetFigures(result)) }
            printReport(result.report)
            print("\nwritten to \(output)")
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

    /// What `--json` prints.
    private struct BudgetFigures: Encodable {
        var report: CompressionReport
        var plan: AllocationPlan
        var effects: [LayerEffect]
        var shrinkages: [String: Double]

        init(_ result: BudgetCompressor.Result) {
            (report, plan, effects) = (result.report, result.plan, result.effects)
            shrinkages = result.shrinkages
        }

        enum CodingKeys: CodingKey { case plan, effects, shrinkages }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(plan, forKey: .plan)
            try container.encode(effects, forKey: .effects)
            if !shrinkages.isEmpty { try container.encode(shrinkages, forKey: .shrinkages) }
        }
    }
}
