import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import Synchronization

/// Replaces the layers of a network by low-rank factors.
public struct Compressor: Sendable {
    /// Which layers, by which methods.
    public var rules: LayerRules
    /// With which ranks.
    public var ranks: RankChoice
    /// How the factors are sought.
    public var options = DecompositionOptions()
    /// From how many random starts each layer whose method has starts is decomposed once more, to report how far the
    /// errors spread (paper, Appendix F). What replaces the layer does not depend on it.
    public var seedCount = 0
    /// Whether the mean of a layer's input is taken off its second moment and made good by the bias
    /// (`b' = b + (W - V) mu`). Errors are then those of the centred outputs.
    public var centres = false
    /// What the gradients at the network's layers are, where a method or the complete norm needs them.
    public var gradients: GradientStatistics?
    /// Whether methods of the Sigma norm weigh outputs by what the rest of the network makes of them, `tr(Lambda (W - V)
    /// Sigma (W - V)^T)` (paper, 6).
    public var usesCompleteNorm = false
    /// Other weights and moments for some layers, by name: what sequential compression fits them to.
    var retargeted: [String: RetargetedLayer] = [:]
    /// Where finished layers are put down and looked for.
    public var finishedLayers: FinishedLayers?
    /// The threads that share the work.
    public var pool: ThreadPool

    /// A compressor that uses a method wherever it applies.
    public init(method: DecompositionMethod, ranks: RankChoice, pool: ThreadPool = ThreadPool()) {
        self.init(rules: LayerRules(method: method), ranks: ranks, pool: pool)
    }

    /// A compressor with rules.
    public init(rules: LayerRules, ranks: RankChoice, pool: ThreadPool = ThreadPool()) {
        self.rules = rules
        self.ranks = ranks
        self.pool = pool
    }

    /// Told of each layer as it is done, with how many are done and how many there are to do, one call at a time but on any
    /// thread. It may throw to end the job.
    public typealias Progress = (CompressionReport.Layer, _ done: Int, _ count: Int) throws -> Void

    /// A smaller network and what became of each layer.
    ///
    /// A layer that would not get smaller is left as it is.
    /// - Parameters:
    ///   - network: as ``Network/simplified(keepingHalfWeights:)`` leaves it.
    ///   - statistics: of this network; with them the Sigma error is reported whatever the method.
    ///   - checkCancellation: called often, on any thread; what it throws ends the job.
    /// - Throws: ``CompressionError``, ``StatisticsError``, `DecompositionError`, `NetworkError`; whatever the closures throw.
    public func compress(
        _ network: Network, statistics: Statistics?, checkCancellation: () throws -> Void = {},
        progress: Progress = { _, _, _ in }
    ) throws -> (network: Network, report: CompressionReport) {
        let outcome = try run(
            network, statistics: statistics, checkCancellation: checkCancellation, progress: progress)
        return (outcome.network, outcome.report)
    }

    /// A compressed network, and what stands for each of its layers that were replaced.
    struct Outcome {
        var network: Network
        var report: CompressionReport
        var replacements: [String: LayerReplacement]
    }

    func run(
        _ network: Network, statistics: Statistics?, checkCancellation: () throws -> Void,
        progress: Progress = { _, _, _ in }
    ) throws -> Outcome {
        try check(statistics, network)
        let layers = network.weightedLayers()
        let before = try Costs(network)
        let first = layers.first { $0.layerKind != .fullyConnected }?.name
        let decisions = layers.map { rules.decision(on: $0, isFirstConvolution: $0.name == first) }
        try checkNames(layers, decisions)

        var report = CompressionReport(
            methods: Dictionary(uniqueKeysWithValues: rules.methods.map { ($0.key.rawValue, $0.value) }),
            vbmfRatio: nil, layers: [], parametersBefore: before.total.parameters, parametersAfter: 0,
            multiplyAddsBefore: before.total.multiplyAdds, multiplyAddsAfter: 0)
        if case .vbmf(let ratio) = ranks { report.vbmfRatio = ratio }
        for (layer, decision) in zip(layers, decisions) {
            let cost = before[layer.name]
            var entry = CompressionReport.Layer(
                name: layer.name, shape: network.constants[layer.weight]?.shape.extents ?? [],
                parametersBefore: cost.parameters, parametersAfter: cost.parameters,
                multiplyAddsBefore: cost.multiplyAdds, multiplyAddsAfter: cost.multiplyAdds)
            switch decision {
            case .keep(let reason): entry.kept = reason
            case .decompose(let method, let override):
                entry.method = method
                if case .explicit(let ranks) = ranks, ranks[layer.name] == nil, override?.ranks == nil,
                    override?.vbmfRatio == nil
                {
                    entry.kept = "no ranks given"
                }
            }
            report.layers.append(entry)
        }
        let work = LayerWork(compressor: self, network: network, statistics: statistics)
        let replacements = try decompose(
            layers, by: work, report: &report, checkCancellation: checkCancellation, progress: progress)
        let byName = Dictionary(
            uniqueKeysWithValues: zip(layers, replacements).compactMap { layer, new in new.map { (layer.name, $0) } })
        let result = try network.replacing(byName)
        let after = try Costs(result)
        report.parametersAfter = after.total.parameters
        report.multiplyAddsAfter = after.total.multiplyAdds
        for (index, replacement) in replacements.enumerated() {
            guard let replacement else { continue }
            let name = report.layers[index].name
            let cost = replacement.links.map { after["\(name).\($0.name)"] }.reduce(Cost(), +)
            report.layers[index].parametersAfter = cost.parameters
            report.layers[index].multiplyAddsAfter = cost.multiplyAdds
        }
        return Outcome(network: result, report: report, replacements: byName)
    }

    /// What stands for each layer that is replaced. Layers are shared out among the threads, the largest first.
    private func decompose(
        _ layers: [WeightedLayer], by work: LayerWork, report: inout CompressionReport,
        checkCancellation: () throws -> Void, progress: Progress
    ) throws -> [LayerReplacement?] {
        struct State {
            var entries: [CompressionReport.Layer]
            var replacements: [LayerReplacement?]
            var done = 0
        }
        let jobs = layers.indices.filter { report.layers[$0].kept == nil }
            .sorted {
                (layers[$1].patchSize * layers[$1].outputs, $0) < (layers[$0].patchSize * layers[$0].outputs, $1)
            }
        let state = Mutex(
            State(entries: report.layers, replacements: [LayerReplacement?](repeating: nil, count: layers.count)))
        try pool.forEachThrowing(jobs.count) { job in
            let index = jobs[job]
            let start = ContinuousClock.now
            var entry = state.withLock { $0.entries[index] }
            let replacement = try work.replacement(
                for: layers[index], &entry, checkCancellation: checkCancellation)
            // What was taken from a file has its time from there.
            if entry.seconds == 0 { entry.seconds = (ContinuousClock.now - start) / .seconds(1) }
            try state.withLock { state in
                state.entries[index] = entry
                state.replacements[index] = replacement
                state.done += 1
                try progress(entry, state.done, jobs.count)
            }
        }
        return state.withLock { state in
            report.layers = state.entries
            return state.replacements
        }
    }

    // MARK: What is asked for

    private func check(_ statistics: Statistics?, _ network: Network) throws {
        if statistics == nil, let method = rules.needsStatistics {
            throw CompressionError.needsStatistics(method: method.rawValue)
        }
        if gradients == nil {
            if usesCompleteNorm { throw CompressionError.needsGradients(purpose: "the complete norm") }
            if let method = rules.usedMethods.first(where: { $0.measure == .fisher }) {
                throw CompressionError.needsGradients(purpose: "the method \(method.rawValue)")
            }
        }
        try gradients?.check(against: network)
        if case .vbmf(let ratio) = ranks, !(0...1).contains(ratio) { throw CompressionError.ratioOutOfRange(ratio) }
        for entry in rules.overrides.entries.values {
            if let ratio = entry.vbmfRatio, !(0...1).contains(ratio) { throw CompressionError.ratioOutOfRange(ratio) }
        }
        for (kind, method) in rules.methods where !method.layerKinds.contains(kind) {
            throw CompressionError.methodNotForLayer(method: method.rawValue, kind: kind.plainName)
        }
        try statistics?.check(against: network)
    }

    /// Names that stand for nothing are mistakes, and so are ranks for a layer that is not decomposed.
    private func checkNames(_ layers: [WeightedLayer], _ decisions: [LayerRules.Decision]) throws {
        let names = layers.map(\.name)
        if let stranger = rules.overrides.strangers(among: names).first {
            throw CompressionError.unknownLayer(name: stranger, known: names)
        }
        for pattern in rules.include + rules.exclude where !names.contains(where: { pattern.matches($0) }) {
            throw CompressionError.unknownLayer(name: pattern.text, known: names)
        }
        guard case .explicit(let ranks) = ranks else { return }
        let known = zip(names, decisions).filter { _, decision in
            switch decision {
            case .decompose: true
            // Ranks may stay in the file while a layer is left out for once.
            case .keep(let reason):
                ["first convolution", "excluded", "not included", "by override"].contains(reason)
            }
        }.map(\.0)
        if let stranger = ranks.keys.filter({ !known.contains($0) }).min() {
            throw CompressionError.unknownLayer(name: stranger, known: known)
        }
    }
}

/// The costs of a network's nodes by name, for one image.
struct Costs {
    private let byName: [String: Cost]
    let total: Cost

    init(_ network: Network) throws {
        let typed = try network.forOneImage()
        let costs = try typed.costs()
        byName = Dictionary(zip(typed.network.nodes.map(\.name), costs), uniquingKeysWith: +)
        total = costs.reduce(Cost(), +)
    }

    subscript(name: String) -> Cost { byName[name] ?? Cost() }
}
