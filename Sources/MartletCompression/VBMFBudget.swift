import MartletDecompositions
import MartletNetworks
import MartletParallelism

/// Finds the VBMF ratio at which the paper's ranks keep to a budget.
public struct VBMFBudget: Sendable {
    /// Which layers, by which methods.
    public var rules: LayerRules
    /// The threads that share the work.
    public var pool: ThreadPool

    /// How far below the budget a result may be: one ratio moves the ranks of all layers at once, by whole numbers.
    public static let tolerance = 0.05

    /// With these rules.
    public init(rules: LayerRules, pool: ThreadPool) {
        self.rules = rules
        self.pool = pool
    }

    /// The largest network that keeps to the budget: the smallest ratio, to four decimals.
    /// - Throws: ``CompressionError/budgetOutOfReach(budget:least:most:)``,
    ///   ``CompressionError/budgetBetweenRatios(budget:below:above:)``, and ``CompressionError/budgetText(_:)`` for a budget of
    ///   latency or a drop.
    public func ratio(for budget: Budget, of network: Network) throws -> Double {
        guard let measure = budget.measure, measure != .latency else {
            throw CompressionError.budgetText("\(budget)")
        }
        let layers = network.weightedLayers()
        let costs = try Costs(network)
        let typed = try network.forOneImage()
        let first = layers.first { $0.layerKind != .fullyConnected }?.name
        var ranges: [(layer: WeightedLayer, shape: [Int], form: DecompositionForm, maximum: [Int], vbmf: [Int])] = []
        for layer in layers {
            guard case .decompose(let method, _) = rules.decision(on: layer, isFirstConvolution: layer.name == first),
                let kernel = try network.kernel(of: layer)
            else { continue }
            let maximum = method.form.startingRanks(of: kernel.shape)
            let vbmf = try RankSelection.vbmfRanks(of: kernel, form: method.form, pool: pool)
            ranges.append((layer, kernel.shape, method.form, maximum, zip(maximum, vbmf).map(min)))
        }
        func amount(_ ratio: Double) throws -> Double {
            var total = LayerCost(parameters: costs.total.parameters, multiplyAdds: costs.total.multiplyAdds)
            for (layer, shape, form, maximum, vbmf) in ranges {
                let ranks = try zip(maximum, vbmf).map {
                    try RankSelection.rank(maximum: $0, vbmf: $1, ratio: ratio)
                }
                let saved = shape.reduce(1, *) - form.parameterCount(of: shape, ranks: ranks)
                if saved <= 0 { continue }
                total.parameters -= saved
                total.multiplyAdds +=
                    LayerGeometry(layer, in: typed).multiplyAdds(of: shape, form: form, ranks: ranks)
                    - costs[layer.name].multiplyAdds
            }
            return total.amount(measure)
        }
        let (whole, least) = (try amount(0), try amount(1))
        let limit =
            budget.limit(
                original: LayerCost(
                    parameters: costs.total.parameters, multiplyAdds: costs.total.multiplyAdds
                ).amount(measure)) ?? 0
        // Rounded up: what is named can be asked for.
        func part(_ value: Double) -> String { "\((value / max(whole, 1) * 10_000).rounded(.up) / 10_000)" }
        let unreachable = CompressionError.budgetOutOfReach(
            budget: "\(budget)", least: part(least), most: part(whole))
        guard least <= limit else { throw unreachable }
        var (low, high) = (0, 10_000)
        while low < high {
            let middle = (low + high) / 2
            if try amount(Double(middle) / 10_000) <= limit { high = middle } else { low = middle + 1 }
        }
        let ratio = Double(high) / 10_000
        let found = try amount(ratio)
        if found < limit * (1 - VBMFBudget.tolerance) {
            if high == 0 { throw unreachable }
            throw CompressionError.budgetBetweenRatios(
                budget: "\(budget)", below: part(found), above: part(try amount(Double(high - 1) / 10_000)))
        }
        return ratio
    }
}
