import MartletDecompositions

/// One way to replace a layer.
public struct LayerCandidate: Sendable, Equatable, Codable {
    /// The method.
    public var method: DecompositionMethod
    /// The ranks, in the order of ``DecompositionForm/rankNames``.
    public var ranks: [Int]
    /// The squared relative error of the layer's output: estimated (``DecompositionMethod``'s `rankErrors`), or measured.
    public var error: Double
    /// What it costs.
    public var cost: LayerCost

    /// A candidate.
    public init(method: DecompositionMethod, ranks: [Int], error: Double, cost: LayerCost) {
        self.method = method
        self.ranks = ranks
        self.error = error
        self.cost = cost
    }
}

/// What can be done with a layer.
public struct LayerOptions: Sendable, Equatable, Codable {
    /// The layer's name.
    public var name: String
    /// Why it stays as it is in any case; `nil` if there is a choice.
    public var kept: String?
    /// What it costs as it is.
    public var original: LayerCost
    /// The ways to replace it.
    public var candidates: [LayerCandidate]

    /// The options of a layer.
    public init(name: String, kept: String?, original: LayerCost, candidates: [LayerCandidate]) {
        self.name = name
        self.kept = kept
        self.original = original
        self.candidates = candidates
    }

    /// The options without candidates that would take longer than the layer does as it is: the measured gate.
    func gated() -> LayerOptions {
        guard let limit = original.milliseconds else { return self }
        var result = self
        result.candidates.removeAll { $0.cost.milliseconds.map { $0 > limit } ?? false }
        if result.candidates.isEmpty, kept == nil { result.kept = "would not get faster" }
        return result
    }

    /// The candidates that are cheaper than the original in `measure`, and that none is better than at no higher cost: their
    /// costs rise and their errors fall.
    public func front(_ measure: CostMeasure) -> [LayerCandidate] {
        let limit = original.amount(measure)
        // What was not timed is not known to be fast.
        let known = measure == .latency ? candidates.filter { $0.cost.milliseconds != nil } : candidates
        let sorted = known.filter { $0.cost.amount(measure) < limit }.sorted { a, b in
            let (x, y) = (a.cost.amount(measure), b.cost.amount(measure))
            if x != y { return x < y }
            if a.error != b.error { return a.error < b.error }
            return (a.method.rawValue, a.ranks.first ?? 0) < (b.method.rawValue, b.ranks.first ?? 0)
        }
        var front: [LayerCandidate] = []
        for candidate in sorted where candidate.error < front.last?.error ?? .infinity { front.append(candidate) }
        return front
    }
}
