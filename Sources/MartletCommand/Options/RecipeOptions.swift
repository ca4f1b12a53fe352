import ArgumentParser
import Martlet

extension BudgetCompressor.Timing.Gate: ExpressibleByArgument {}

/// How a budget is kept to.
struct RecipeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What a layer's error weighs: logits, kl, disagreement (measured), gradients (of --gradients), equal, or a JSON file of numbers by layer; logits unless told.",
            valueName: "way"))
    var weights: String?
    @Option(help: ArgumentHelp("How often to measure weights, each time nearer to the result.", valueName: "n"))
    var rounds = 3
    @Option(help: ArgumentHelp("Images to measure weights on.", valueName: "n")) var probes = 128
    @Flag(inversion: .prefixedNo, help: "Take the mean off Sigma and correct the bias.") var centred = true
    @Option(
        help: ArgumentHelp(
            "See each image n times: itself, mirrored, then parts of it. Not for images that mirroring makes others.",
            valueName: "n"))
    var views = 1
    @Flag(help: "Fit each layer to what the compressed ones before it leave of its input; slower.")
    var sequential = false
    @Option(
        help: ArgumentHelp(
            "Time layers on this machine; on: replace none by a slower one; auto: unless that costs much accuracy; off: do not look.",
            valueName: "auto|on|off"))
    var gate = BudgetCompressor.Timing.Gate.automatic
    @Flag(help: "Also report, with --json, what each layer given back alone would gain: what its weight stands for.")
    var leaveOneOut = false
    @Option(
        help: ArgumentHelp(
            "Where times are kept; martlet/ in the user's folder for caches unless told.", valueName: "file.json"))
    var latencyCache: String?
    @Option(help: ArgumentHelp("Ranks in multiples of n; by the size of the layer unless told.", valueName: "n"))
    var rankStep: Int?

    func validate() throws {
        if !(1...20).contains(rounds) { throw ValidationError("--rounds wants 1 to 20") }
        if probes < 1 { throw ValidationError("--probes wants at least 1") }
        if !(1...1000).contains(views) { throw ValidationError("--views wants 1 to 1000") }
        if let rankStep, rankStep < 1 { throw ValidationError("--rank-step wants at least 1") }
    }

    /// The weights that this amounts to.
    private func weightChoice() throws -> WeightChoice {
        guard let weights else { return .measured(.scores) }
        if weights == "equal" { return .equal }
        if weights == "gradients" { return .gradients }
        if let metric = WeightChoice.OutputMetric(rawValue: weights) { return .measured(metric) }
        return try WeightChoice(contentsOf: weights)
    }

    /// The compressor that this amounts to, with all methods.
    func compressor(
        _ budget: Budget, model: Model, pool: ThreadPool, search: DecompositionOptions, timesLatency: Bool
    ) throws -> BudgetCompressor {
        var compressor = BudgetCompressor(budget: budget, pool: pool)
        compressor.weights = try weightChoice()
        compressor.rounds = rounds
        compressor.isSequential = sequential
        compressor.checksWeights = leaveOneOut
        compressor.search.rankStep = rankStep
        compressor.search.centres = centred
        compressor.search.options = search
        compressor.compressor.options = search
        compressor.compressor.centres = centred
        if gate != .open || timesLatency {
            var timing = BudgetCompressor.Timing(shape: try model.timedShape(batch: 1))
            timing.cache = latencyCache ?? model.latencyCache(threads: pool.threadCount)
            timing.gate = gate
            compressor.timing = timing
        }
        return compressor
    }

    /// The images as they are calibrated on.
    func viewed(_ data: any DataSet) -> any DataSet {
        views > 1 ? AugmentedImages(data, views: views) : data
    }

    /// The outputs that weights are measured by; `nil` where nothing is measured.
    func comparison(
        _ model: Model, _ data: any DataSet, _ preprocessing: Preprocessing, compressor: BudgetCompressor
    ) throws -> OutputComparison? {
        guard case .measured = compressor.weights else { return nil }
        let probes = data.count > probes ? try data.limited(to: probes) : data
        return try model.outputs(on: probes, preprocessing: preprocessing, pool: compressor.pool)
    }

    /// The flags that say this.
    var flags: String {
        var flags = ""
        if let weights { flags += " --weights \(weights)" }
        if rounds != 3 { flags += " --rounds \(rounds)" }
        if probes != 128 { flags += " --probes \(probes)" }
        if !centred { flags += " --no-centred" }
        if views != 1 { flags += " --views \(views)" }
        if sequential { flags += " --sequential" }
        if gate != .automatic { flags += " --gate \(gate.rawValue)" }
        if let rankStep { flags += " --rank-step \(rankStep)" }
        return flags
    }
}
