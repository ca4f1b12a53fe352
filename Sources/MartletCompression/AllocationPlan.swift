import MartletDecompositions
import MartletNetworks

/// What every layer of a network is to be replaced with, so that the network keeps to a budget.
public struct AllocationPlan: Sendable, Equatable, Codable {
    /// One layer.
    public struct Layer: Sendable, Equatable, Codable {
        /// The name.
        public var name: String
        /// What the layer is replaced with; `nil` if it stays.
        public var choice: LayerCandidate?
        /// Why it stays, if it does.
        public var kept: String?
        /// What it costs as it is.
        public var original: LayerCost
        /// What a squared relative error of 1 in its output adds to the loss.
        public var weight: Double

        /// What it costs as planned.
        public var cost: LayerCost { choice?.cost ?? original }
        /// What it adds to the loss.
        public var loss: Double { (choice?.error ?? 0) * weight }
    }

    /// The layers with weights, in execution order.
    public var layers: [Layer]

    /// The loss that is expected: the sum of the layers'.
    public var loss: Double { layers.reduce(0) { $0 + $1.loss } }

    /// The plan of least loss under a budget.
    /// - Parameters:
    ///   - options: what can be done with each layer.
    ///   - weights: by layer; 1 for those that are not there.
    ///   - budget: anything but a drop.
    ///   - total: what the whole original costs in the budget's measure.
    /// - Throws: ``CompressionError/budgetOutOfReach(budget:least:most:)``.
    public init(
        _ options: [LayerOptions], weights: [String: Double], budget: Budget, total: Double
    ) throws(CompressionError) {
        guard let measure = budget.measure, let limit = budget.limit(original: total) else {
            throw .budgetText("\(budget)")
        }
        try self.init(options, weights: weights, measure: measure, limit: limit, total: total, budget: budget)
    }

    init(
        _ options: [LayerOptions], weights: [String: Double], measure: CostMeasure, limit: Double, total: Double,
        budget: Budget
    ) throws(CompressionError) {
        let fronts = options.map { $0.kept == nil ? $0.front(measure) : [] }
        let choices = zip(options, fronts).map { options, front in
            front.map { candidate in
                Allocation.Option(
                    cost: candidate.cost.amount(measure), loss: candidate.error * (weights[options.name] ?? 1))
            } + [Allocation.Option(cost: options.original.amount(measure), loss: 0)]
        }
        let fixed = total - options.reduce(0) { $0 + $1.original.amount(measure) }
        let least = choices.reduce(fixed) { $0 + ($1.map(\.cost).min() ?? 0) }
        let unreachable = CompressionError.budgetOutOfReach(
            budget: "\(budget)", least: AllocationPlan.amount(least, measure, of: total),
            most: AllocationPlan.amount(total, measure, of: total))
        let slack = limit * Budget.tolerance
        guard let chosen = Allocation.choose(choices, budget: limit - fixed, least: limit - slack - fixed) else {
            throw unreachable
        }
        layers = zip(options, zip(fronts, chosen)).map { options, choice in
            let (front, index) = choice
            let candidate = index < front.count ? front[index] : nil
            return Layer(
                name: options.name, choice: candidate,
                kept: candidate != nil ? nil : options.kept ?? "worth its cost at this budget",
                original: options.original, weight: weights[options.name] ?? 1)
        }
    }

    /// An amount for a message.
    private static func amount(_ value: Double, _ measure: CostMeasure, of total: Double) -> String {
        let part = (value / max(total, 1e-300) * 10_000).rounded() / 10_000
        return measure == .latency ? "\(part) (\((value * 1000).rounded() / 1000) ms)" : "\(part) (\(Int(value)))"
    }

    /// The plan as a compressor takes it.
    public var overrides: LayerOverrides {
        var entries: [String: LayerOverrides.Entry] = [:]
        for layer in layers {
            var entry = LayerOverrides.Entry()
            if let choice = layer.choice {
                entry.method = choice.method
                entry.ranks = choice.ranks
            } else {
                entry.keeps = true
                entry.reason = layer.kept
            }
            entries[layer.name] = entry
        }
        return LayerOverrides(entries)
    }

    /// A compressor that carries the plan out.
    public func compressor(from base: Compressor) -> Compressor {
        var result = base
        result.rules = LayerRules(methods: [:])
        result.rules.overrides = overrides
        return result
    }
}
