import Foundation
import MartletDecompositions
import MartletEvaluation
import MartletFiles
import MartletNetworks
import MartletStatistics

/// What a layer's error weighs: how much a squared relative error of 1 in its output would change the network's.
///
/// Every choice ends in a number for each layer, so that a new source of them (statistics of gradients, for instance) is a
/// case here and nothing elsewhere.
public enum WeightChoice: Sendable, Equatable {
    /// The same for all layers.
    case equal
    /// Measured: each layer is replaced alone, and its effect on the outputs divided by its error.
    case measured(OutputMetric)
    /// From statistics of gradients: how far a layer's whole output, as it varies, moves the network's end to first order.
    case gradients
    /// Given by name; 1 for layers that are not there.
    case given([String: Double])

    /// What is looked at in the outputs.
    public enum OutputMetric: String, Sendable, CaseIterable, Codable {
        /// The Kullback-Leibler divergence of the class probabilities.
        case divergence = "kl"
        /// The squared change of the class scores.
        case scores = "logits"
        /// The images on which another class comes first.
        case disagreement

        /// The effect in this metric.
        public func effect(_ change: OutputChange) -> Double {
            switch self {
            case .divergence: change.divergence
            case .scores: change.scoreError
            // Half an image, so that nothing weighs nothing.
            case .disagreement: (Double(change.images - change.agreed) + 0.5) / Double(change.images + 1)
            }
        }
    }

    /// The weights in a JSON file that maps layer names to numbers.
    /// - Throws: ``CompressionError/weightsFile(file:reason:)``, `FileError`.
    public init(contentsOf path: String) throws {
        let data = try MappedFile(path: path).withUnsafeBytes { Data($0) }
        guard let weights = try? JSONDecoder().decode([String: Double].self, from: data) else {
            throw CompressionError.weightsFile(file: path, reason: "this is not a JSON object of numbers")
        }
        for (name, weight) in weights.sorted(by: { $0.key < $1.key }) where !(weight > 0 && weight.isFinite) {
            throw CompressionError.weightsFile(file: path, reason: "the weight of '\(name)' is \(weight)")
        }
        self = .given(weights)
    }
}

/// What one layer alone does to the network's outputs.
public struct LayerEffect: Sendable, Equatable, Codable {
    /// The layer's name.
    public var name: String
    /// What it was replaced with, with the error of the fit.
    public var candidate: LayerCandidate
    /// The change of the outputs.
    public var change: OutputChange

    /// An effect.
    public init(name: String, candidate: LayerCandidate, change: OutputChange) {
        self.name = name
        self.candidate = candidate
        self.change = change
    }

    /// What an error of 1 would weigh, if effects grow as squared errors do.
    public func weight(_ metric: WeightChoice.OutputMetric) -> Double {
        // An error below rounding says nothing about what larger ones do.
        max(metric.effect(change), 1e-9) / max(candidate.error, 1e-6)
    }
}

/// What a compressed network's outputs would gain from each layer.
public struct LeavingOneOut: Sendable, Equatable, Codable {
    /// The change of the outputs by all replacements.
    public var whole: OutputChange
    /// By all but one, by that one's name.
    public var without: [String: OutputChange]
}

/// Measures what errors of layers do to a network's outputs.
public struct EffectMeasurement: Sendable {
    /// How layers are fitted.
    public var compressor: Compressor
    /// The network.
    public var network: Network
    /// Its statistics.
    public var statistics: Statistics
    /// Its outputs on some images.
    public var comparison: OutputComparison

    /// A measurement of a network.
    public init(compressor: Compressor, network: Network, statistics: Statistics, comparison: OutputComparison) {
        self.compressor = compressor
        self.network = network
        self.statistics = statistics
        self.comparison = comparison
    }

    /// The effect of each layer that a plan replaces, alone in the original.
    /// - Throws: as ``Compressor/compress(_:statistics:checkCancellation:progress:)``, and `EvaluationError`.
    public func effects(
        of plan: AllocationPlan, checkCancellation: () throws -> Void = {},
        progress: (_ done: Int, _ count: Int) throws -> Void = { _, _ in }
    ) throws -> [LayerEffect] {
        let outcome = try plan.compressor(from: compressor).run(
            network, statistics: statistics, checkCancellation: checkCancellation
        ) { _, done, count in try progress(done, 2 * count) }
        var effects: [LayerEffect] = []
        let count = outcome.replacements.count
        for (layer, entry) in zip(plan.layers, outcome.report.layers) {
            guard var candidate = layer.choice, let replacement = outcome.replacements[layer.name] else { continue }
            try checkCancellation()
            candidate.error = entry.countedError ?? candidate.error
            let alone = try network.replacing([layer.name: replacement])
            effects.append(
                LayerEffect(name: layer.name, candidate: candidate, change: try comparison.change(of: alone)))
            try progress(count + effects.count, 2 * count)
        }
        return effects
    }

    /// How much better the outputs become when each layer alone is given back to the network that a plan makes: the truth
    /// that ``effects(of:checkCancellation:progress:)`` stands for.
    /// - Throws: as ``effects(of:checkCancellation:progress:)``.
    public func leavingOneOut(
        of plan: AllocationPlan, checkCancellation: () throws -> Void = {},
        progress: (_ done: Int, _ count: Int) throws -> Void = { _, _ in }
    ) throws -> LeavingOneOut {
        let outcome = try plan.compressor(from: compressor).run(
            network, statistics: statistics, checkCancellation: checkCancellation
        ) { _, done, count in try progress(done, 2 * count) }
        let whole = try comparison.change(of: outcome.network)
        var without: [String: OutputChange] = [:]
        for name in outcome.replacements.keys.sorted() {
            try checkCancellation()
            var others = outcome.replacements
            others[name] = nil
            without[name] = try comparison.change(of: try network.replacing(others))
            try progress(outcome.replacements.count + without.count, 2 * outcome.replacements.count)
        }
        return LeavingOneOut(whole: whole, without: without)
    }
}
