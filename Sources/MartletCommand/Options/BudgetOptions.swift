import ArgumentParser
import Martlet

extension BudgetCompressor.Timing.Gate: ExpressibleByArgument {}

/// How small the network is to become, and what decides how.
struct BudgetOptions: ParsableArguments {
    /// What is chosen by default.
    enum Recipe: String, CaseIterable, ExpressibleByArgument {
        /// Ranks by Sigma error and measured weights, all methods, centred.
        case best
        /// Tucker2-ALS-Sigma with VBMF's ranks, as in the paper.
        case paper
    }

    @Option(
        help: ArgumentHelp(
            "How small: params=0.5, macs=0.5, bytes=6MB, latency=0.6 (of the original's) or latency=3ms on this machine, or drop=1% of accuracy.",
            valueName: "measure=value"))
    var budget: String?
    @Option(
        help: ArgumentHelp(
            "best: method and ranks of each layer by their effect; paper: tucker2-als-sigma with VBMF's ranks.",
            valueName: "name"))
    var recipe: Recipe?
    @Option(
        help: ArgumentHelp(
            "What a layer's error weighs: kl, logits, disagreement (measured), equal, or a JSON file of numbers by layer; logits unless told.",
            valueName: "way"))
    var weights: String?
    @Option(help: ArgumentHelp("How often to measure weights, each time nearer to the result.", valueName: "n"))
    var rounds = 1
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
    @Option(
        help: ArgumentHelp(
            "Where times are kept; martlet/ in the user's folder for caches unless told.", valueName: "file.json"))
    var latencyCache: String?
    @Option(help: ArgumentHelp("Ranks in multiples of n; by the size of the layer unless told.", valueName: "n"))
    var rankStep: Int?
    @Option(
        name: .customLong("methods"),
        help: ArgumentHelp("Which methods to choose from, separated by commas; all unless told.", valueName: "names"))
    var choice: String?

    func validate() throws {
        if !(1...20).contains(rounds) { throw ValidationError("--rounds wants 1 to 20") }
        if !(1...1000).contains(views) { throw ValidationError("--views wants 1 to 1000") }
        if probes < 1 { throw ValidationError("--probes wants at least 1") }
        if let rankStep, rankStep < 1 { throw ValidationError("--rank-step wants at least 1") }
        _ = try methods()
    }

    /// The weights that this amounts to.
    func weightChoice() throws -> WeightChoice {
        guard let weights else { return .measured(.scores) }
        if weights == "equal" { return .equal }
        if let metric = WeightChoice.OutputMetric(rawValue: weights) { return .measured(metric) }
        return try WeightChoice(contentsOf: weights)
    }

    /// The methods for each kind of layer.
    func methods() throws -> [LayerKind: [DecompositionMethod]] {
        guard let choice else { return CandidateSearch.allMethods }
        var result: [LayerKind: [DecompositionMethod]] = [:]
        for name in choice.split(separator: ",") {
            guard let method = DecompositionMethod(rawValue: String(name)), method.hasRankErrors else {
                let known = DecompositionMethod.allCases.filter(\.hasRankErrors).map(\.rawValue)
                throw ValidationError("--methods wants some of \(known.joined(separator: ","))")
            }
            for kind in method.layerKinds { result[kind, default: []].append(method) }
        }
        return result
    }
}
