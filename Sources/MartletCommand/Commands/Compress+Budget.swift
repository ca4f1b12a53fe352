import ArgumentParser
import Martlet

extension Compress {
    /// Compresses to a budget.
    func run(budget text: String) throws {
        let model = try Model(path: model)
        let budget = try Budget(parsing: text)
        let pool = threads.pool
        var compressor = try recipe.compressor(
            budget, model: model, pool: pool, search: fitting, timesLatency: budget.measure == .latency)
        compressor.search.methods = try self.budget.methods()
        compressor.search.restrict(to: methods.only, rules: try methods.rules())
        let options = try preprocessing.options()
        try OutputFile.checkWritable(output)
        Interruption.watch()
        let line = ProgressLine()
        func show(_ progress: JobProgress) throws {
            try Interruption.check()
            line.show(progress)
        }
        var data = try data.map { try images.open($0) }
        let prepared = try data == nil ? nil : model.preprocessing(options)
        var comparison: OutputComparison?
        if case .drop = budget, let all = data, let prepared {
            // Every fourth image is held out to look for the drop, unless the statistics are of other images anyway.
            let held = sigma != nil ? all : Subset(all, range: 0..<all.count / 4)
            if sigma == nil { data = Subset(all, range: all.count / 4..<all.count) }
            comparison = try model.outputs(on: held, preprocessing: prepared, pool: pool)
        } else if let data, let prepared {
            comparison = try recipe.comparison(model, data, prepared, compressor: compressor)
        }
        let viewed = data.map { recipe.viewed($0) }
        let statistics: Statistics
        if let sigma {
            statistics = try Statistics(path: sigma)
        } else if let viewed, let prepared {
            statistics = try model.gatherStatistics(
                on: viewed, preprocessing: prepared, pool: pool, progress: show)
        } else {
            throw ValidationError("give --images or --sigma")
        }
        let gather = viewed.flatMap { viewed in
            prepared.map { prepared in
                {
                    try model.gatherGradients(
                        on: viewed, preprocessing: prepared, source: .scores, pool: pool, progress: show)
                }
            }
        }
        try gradients.apply(
            to: &compressor.compressor, needsGradients: compressor.weights == .gradients,
            gather: gather)
        var finish: Finish?
        let result = try keepingFinishedLayers { finished in
            compressor.compressor.finishedLayers = finished
            let (compressed, result) = try model.compressed(
                by: compressor, statistics: statistics, comparison: comparison,
                images: prepared.flatMap { prepared in viewed.map { ($0, prepared) } }, preprocessing: options,
                checkCancellation: { try Interruption.check() }, progress: show)
            line.finish()
            finish = try self.finish(compressed, original: model, progress: show)
            line.finish()
            return result
        }
        if format.json { return try Terminal.printJSON(WithFinish(report: BudgetFigures(result), finish: finish)) }
        printReport(result.report)
        if let predicted = result.predictedAgreement {
            let ends = predicted.interval.map(Format.percent)
            print(
                "predicted to agree with the original on \(Format.percent(predicted.agreement)) of images like these"
                    + " (95 %: \(ends[0]) to \(ends[1]))")
        }
        finish?.show()
        print("\nwritten to \(output)")
    }

    /// What `--json` prints.
    private struct BudgetFigures: Encodable {
        let result: BudgetCompressor.Result

        init(_ result: BudgetCompressor.Result) { self.result = result }

        enum CodingKeys: String, CodingKey {
            case plan, effects, shrinkages
            case predictedAgreement = "predicted_agreement"
            case loss = "expected_loss"
            case leavingOneOut = "leaving_one_out"
        }

        func encode(to encoder: any Encoder) throws {
            try result.report.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(result.plan, forKey: .plan)
            try container.encode(result.plan.loss, forKey: .loss)
            try container.encode(result.effects, forKey: .effects)
            try container.encodeIfPresent(result.predictedAgreement, forKey: .predictedAgreement)
            try container.encodeIfPresent(result.leavingOneOut, forKey: .leavingOneOut)
            if !result.shrinkages.isEmpty { try container.encode(result.shrinkages, forKey: .shrinkages) }
        }
    }
}
