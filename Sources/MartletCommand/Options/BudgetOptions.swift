import ArgumentParser
import Martlet

/// How small the network is to become.
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
        name: .customLong("methods"),
        help: ArgumentHelp(
            "Which methods to choose from under a budget, separated by commas; all unless told. `quick` is all but CP, whose fits take minutes.",
            valueName: "names"))
    var choice: String?

    func validate() throws {
        if recipe == .best, budget == nil { throw ValidationError("--recipe best wants a --budget") }
        _ = try methods()
    }

    /// The methods for each kind of layer.
    func methods() throws -> [LayerKind: [DecompositionMethod]] {
        guard let choice else { return CandidateSearch.allMethods }
        if choice == "quick" { return CandidateSearch.quickMethods }
        var result: [LayerKind: [DecompositionMethod]] = [:]
        for name in choice.split(separator: ",") {
            guard let method = DecompositionMethod(rawValue: String(name)), method.hasRankErrors else {
                let known = DecompositionMethod.allCases.filter(\.hasRankErrors).map(\.rawValue)
                throw ValidationError("--methods wants quick, or some of \(known.joined(separator: ","))")
            }
            for kind in method.layerKinds { result[kind, default: []].append(method) }
        }
        return result
    }
}
