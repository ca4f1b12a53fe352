import Foundation
import MartletCompression
import MartletDecompositions
import MartletEvaluation
import MartletFiles
import MartletImages
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors

/// Compresses a network to several budgets by several methods, and evaluates what comes of it.
public struct Sweep: Sendable {
    /// The budgets, in the order in which they are tried.
    public var budgets: [Budget]
    /// The methods.
    public var methods: [SweepMethod]
    /// How networks are compressed; the budget in it does not matter.
    public var compressor: BudgetCompressor
    /// Which layers ``SweepMethod/paper`` compresses, and how; the other methods go by the rules of ``compressor``.
    public var paperRules = LayerRules(method: .tucker2ALSSigma)
    /// A folder for the results and for what is done so far.
    public var folder: String
    /// What a command that makes one of the networks begins with, `martlet compress net.onnx --images photos`.
    public var command: String

    /// A sweep.
    public init(
        budgets: [Budget], methods: [SweepMethod], compressor: BudgetCompressor, folder: String, command: String
    ) {
        self.budgets = budgets
        self.methods = methods
        self.compressor = compressor
        self.folder = folder
        self.command = command
    }

    /// Does it. Each point is put down as it is done and not done again by the next sweep of the same network, statistics,
    /// images and recipe into the same folder.
    /// - Parameters:
    ///   - model: the network.
    ///   - statistics: of it.
    ///   - comparison: its outputs on calibration images, for weights.
    ///   - images: the calibration images, for sequential compression.
    ///   - data: the images to evaluate on, others than those of the statistics.
    ///   - preprocessing: how these are prepared.
    ///   - checkCancellation: called often, on any thread; what it throws ends the job.
    ///   - progress: told how far it is.
    /// - Throws: as compressing and evaluating do, and `FileError`.
    public func run(
        _ model: Model, statistics: Statistics, comparison: OutputComparison?,
        images: (data: any DataSet, preprocessing: Preprocessing)?, on data: any DataSet,
        preprocessing: Preprocessing, checkCancellation: @escaping () throws -> Void = {},
        progress: @escaping JobProgress.Handler = { _ in }
    ) throws -> SweepResult {
        let points = folder + "/points"
        do {
            try FileManager.default.createDirectory(atPath: points, withIntermediateDirectories: true)
        } catch {
            throw FileError.cannotWrite(path: points, reason: error.localizedDescription)
        }
        let pool = compressor.pool
        // What no method has need not be looked for.
        var compressor = compressor
        compressor.search.methods = compressor.search.methods.mapValues { list in
            list.filter { method in methods.contains { $0.includes(method) } }
        }
        let key = try circumstances(statistics, data, preprocessing)
        let inspection = try model.inspection()
        func known<Value: Decodable>(_ name: String, _ type: Value.Type) -> Value? {
            (try? MappedFile(path: "\(points)/\(name).json").withUnsafeBytes { Data($0) })
                .flatMap { try? JSONDecoder().decode(type, from: $0) }
        }
        func keep(_ value: some Encodable, _ name: String) throws {
            try OutputFile.write(try JSONEncoder().encode(value), to: "\(points)/\(name).json")
        }
        var original: SweepResult.Figures
        if let found = known("original-\(key)", SweepResult.Figures.self) {
            original = found
        } else {
            original = SweepResult.Figures(
                parameters: inspection.parameters, multiplyAdds: inspection.multiplyAdds,
                evaluation: try model.evaluate(
                    on: data, preprocessing: preprocessing, reference: (model, preprocessing), pool: pool,
                    progress: progress))
            if compressor.timing != nil {
                original.milliseconds = try compressor.measuredMilliseconds(of: model.network)
            }
            try keep(original, "original-\(key)")
        }
        var options: [Bool: [LayerOptions]] = [:]
        var result = SweepResult(
            network: inspection.name, data: "\(data)", calibration: statistics.provenance.data,
            version: MartletVersion.current, original: original, points: [])
        for (number, method) in methods.enumerated() {
            for (index, budget) in budgets.enumerated() {
                try checkCancellation()
                var hash = FNV1a()
                for text in [key, method.name, "\(budget)"] { hash.add(text) }
                if let point = known(hash.text, SweepResult.Point.self) {
                    result.points.append(point)
                    continue
                }
                // Budgets of latency take siblings one by one, the others as one layer.
                let isLatency = budget.measure == .latency
                if options[isLatency] == nil, method != .paper {
                    var preparing = compressor
                    preparing.budget = budget
                    options[isLatency] = try preparing.prepare(
                        model.network, statistics: statistics, checkCancellation: checkCancellation
                    ) { try progress(JobProgress(task: $0, done: $1, total: $2, unit: "layers")) }
                }
                let task =
                    "\(method.name) \(budget), \(number * budgets.count + index + 1) of "
                    + "\(methods.count * budgets.count)"
                var point = SweepResult.Point(
                    method: method.name, budget: "\(budget)", figures: nil, problem: nil, layers: [],
                    command: command + method.flags + " --budget \(budget) -o small.onnx")
                do {
                    let (compressed, report, predicted) = try compress(
                        model, method, budget, options[isLatency], statistics: statistics, comparison: comparison,
                        images: images, checkCancellation: checkCancellation
                    ) { try progress(JobProgress(task: "\(task): \($0)", done: $1, total: $2, unit: "layers")) }
                    point.layers = report.layers
                    point.predicted = predicted
                    point.figures = SweepResult.Figures(
                        parameters: report.parametersAfter, multiplyAdds: report.multiplyAddsAfter,
                        milliseconds: compressor.timing == nil
                            ? nil : try compressor.measuredMilliseconds(of: compressed.network),
                        evaluation: try compressed.evaluate(
                            on: data, preprocessing: preprocessing, reference: (model, preprocessing), pool: pool
                        ) {
                            try progress(
                                JobProgress(task: "\(task): evaluate", done: $0.done, total: $0.total, unit: $0.unit))
                        })
                } catch let error as CompressionError {
                    point.problem = "\(error)"
                }
                try keep(point, hash.text)
                result.points.append(point)
            }
        }
        try OutputFile.write(try result.json(), to: folder + "/sweep.json")
        try OutputFile.write(result.csv, to: folder + "/sweep.csv")
        try OutputFile.write(SweepPage(result).html, to: folder + "/sweep.html")
        return result
    }

    private func compress(
        _ model: Model, _ method: SweepMethod, _ budget: Budget, _ options: [LayerOptions]?, statistics: Statistics,
        comparison: OutputComparison?, images: (data: any DataSet, preprocessing: Preprocessing)?,
        checkCancellation: @escaping () throws -> Void, progress: @escaping BudgetCompressor.Progress
    ) throws -> (Model, CompressionReport, AgreementPrediction?) {
        if method == .paper {
            var paper = Compressor(rules: paperRules, ranks: .vbmf(ratio: 0.5), pool: compressor.pool)
            paper.ranks = .vbmf(
                ratio: try VBMFBudget(rules: paper.rules, pool: paper.pool).ratio(for: budget, of: model.network))
            paper.options = compressor.compressor.options
            let (compressed, report) = try model.compressed(
                by: paper, statistics: statistics, checkCancellation: checkCancellation
            ) { try progress($0.task, $0.done, $0.total) }
            return (compressed, report, nil)
        }
        var own = compressor
        own.budget = budget
        let (compressed, outcome) = try model.compressed(
            by: own, statistics: statistics, layers: options.map { method.part(of: $0) }, comparison: comparison,
            images: images, checkCancellation: checkCancellation
        ) { try progress($0.task, $0.done, $0.total) }
        return (compressed, outcome.report, outcome.predictedAgreement)
    }

    /// A digest of everything that all points depend on.
    private func circumstances(
        _ statistics: Statistics, _ data: any DataSet, _ preprocessing: Preprocessing
    ) throws -> String {
        var hash = FNV1a()
        let provenance = statistics.provenance
        for text in [
            provenance.networkDigest, provenance.dataDigest, provenance.preprocessing, try data.digest(),
            preprocessing.json, MartletVersion.current, "\(compressor.compressor.options)", "\(compressor.weights)",
            "\(compressor.rounds) \(compressor.isSequential) \(compressor.compressor.centres)",
            "\(compressor.compressor.usesCompleteNorm)",
            compressor.compressor.gradients.map { "\($0.provenance.dataDigest) \($0.source) \($0.draws)" } ?? "",
            "\(compressor.timing?.gate.rawValue ?? "")", "\(compressor.search.rankStep ?? 0)",
            "\(compressor.search.methods.map { "\($0.key) \($0.value)" }.sorted())",
            "\(compressor.search.rules.include) \(compressor.search.rules.exclude)",
            "\(paperRules.methods.map { "\($0.key) \($0.value)" }.sorted())",
            "\(paperRules.include) \(paperRules.exclude)",
            "\(compressor.search.rules.overrides.entries.map { "\($0.key) \($0.value)" }.sorted())",
        ] { hash.add(text) }
        return hash.text
    }
}
