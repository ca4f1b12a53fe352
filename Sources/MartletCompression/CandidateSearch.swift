import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import Synchronization

/// Finds, for each layer of a network, the ways to replace it and the error of each, without fitting any.
public struct CandidateSearch: Sendable {
    /// Which layers; the methods in it do not matter, but for those of single layers.
    public var rules: LayerRules
    /// The methods that may be used for each kind of layer; kinds that are not there stay as they are.
    public var methods = CandidateSearch.allMethods
    /// Ranks are multiples of this; nil takes what suits the layer's size.
    public var rankStep: Int?
    /// How fits will be made.
    public var options = DecompositionOptions()
    /// Whether errors are those of the centred outputs.
    public var centres = true
    /// With them, errors are those of the complete norm.
    public var gradients: GradientStatistics?
    /// The threads that share the work.
    public var pool: ThreadPool

    /// The methods whose errors are known before they are fitted.
    public static let allMethods: [LayerKind: [DecompositionMethod]] = Dictionary(
        uniqueKeysWithValues: LayerKind.allCases.map { kind in
            (kind, DecompositionMethod.allCases.filter { $0.hasRankErrors && $0.layerKinds.contains(kind) })
        })

    /// Those but CP, which takes minutes where the others take seconds.
    public static let quickMethods = allMethods.mapValues { $0.filter { $0.form != .canonicalPolyadic } }

    /// A search over all layers, the first convolution included.
    public init(pool: ThreadPool) {
        rules = LayerRules(methods: [:])
        rules.includesFirstConvolution = true
        self.pool = pool
    }

    /// The step of ranks for a layer of so many channels on its narrower side: one in 32 of them, at most the 16 numbers that
    /// the widest vectors hold.
    static func step(channels: Int) -> Int { max(1, min(16, channels / 32)) }

    /// The options of every layer with weights, in execution order.
    /// - Parameters:
    ///   - network: as ``Network/simplified(keepingHalfWeights:)`` leaves it.
    ///   - statistics: of this network.
    ///   - checkCancellation: called often, on any thread; what it throws ends the work.
    ///   - progress: told how many layers are done, on any thread, one call at a time.
    /// - Throws: ``CompressionError``, `StatisticsError`, `DecompositionError`, `NetworkError`.
    public func options(
        of network: Network, statistics: Statistics, checkCancellation: () throws -> Void = {},
        progress: (_ done: Int, _ count: Int) throws -> Void = { _, _ in }
    ) throws -> [LayerOptions] {
        try statistics.check(against: network)
        let layers = network.weightedLayers()
        let costs = try Costs(network)
        let typed = try network.forOneImage()
        let first = layers.first { $0.layerKind != .fullyConnected }?.name
        var choosing = rules
        choosing.methods = methods.compactMapValues(\.first)
        var result: [LayerOptions] = []
        var jobs: [(index: Int, methods: [DecompositionMethod], ranks: [Int]?)] = []
        for (index, layer) in layers.enumerated() {
            let cost = costs[layer.name]
            var options = LayerOptions(
                name: layer.name, kept: nil,
                original: LayerCost(parameters: cost.parameters, multiplyAdds: cost.multiplyAdds), candidates: [])
            switch choosing.decision(on: layer, isFirstConvolution: layer.name == first) {
            case .keep(let reason): options.kept = reason
            case .decompose(let method, let override):
                let choice = override?.method == nil ? methods[layer.layerKind] ?? [] : [method]
                jobs.append((index, choice, override?.ranks))
            }
            result.append(options)
        }
        // The largest first, so that the threads end together.
        jobs.sort { (layers[$1.index].patchSize, $0.index) < (layers[$0.index].patchSize, $1.index) }
        let state = Mutex((options: result, done: 0))
        try pool.forEachThrowing(jobs.count) { number in
            let job = jobs[number]
            let layer = layers[job.index]
            let geometry = LayerGeometry(layer, in: typed)
            let original = state.withLock { $0.options[job.index].original }
            var candidates = try candidates(
                for: layer, of: network, by: job.methods, statistics, geometry: geometry, original: original,
                checkCancellation: checkCancellation)
            if let ranks = job.ranks { candidates.removeAll { $0.ranks != ranks } }
            try state.withLock { state in
                state.options[job.index].candidates = candidates
                if candidates.isEmpty { state.options[job.index].kept = "would not get smaller" }
                state.done += 1
                try progress(state.done, jobs.count)
            }
        }
        return state.withLock { $0.options }
    }

    private func candidates(
        for layer: WeightedLayer, of network: Network, by methods: [DecompositionMethod], _ statistics: Statistics,
        geometry: LayerGeometry, original: LayerCost, checkCancellation: () throws -> Void
    ) throws -> [LayerCandidate] {
        guard let kernel = try network.kernel(of: layer) else { return [] }
        let moments = try statistics.moments(of: layer)
        var moment = try SecondMoment(moments.secondMoment(), patchCount: moments.count)
        let corrects = centres && network.canCorrectBias(of: layer)
        if corrects { moment = try moment.centred(by: moments.mean()) }
        let measurements = LayerMeasurements(
            secondMoment: moment, outputMoment: try gradients?.outputMoment(of: layer))
        let step = rankStep ?? CandidateSearch.step(channels: min(layer.inputs, layer.outputs))
        // A bias that the layer has, or gets.
        let bias = original.parameters > kernel.parameterCount || corrects ? layer.outputs : 0
        return try methods.flatMap { method in
            try checkCancellation()
            return try method.rankErrors(
                of: kernel, measurements: measurements, step: step, options: options, pool: pool,
                checkCancellation: checkCancellation
            ).map { point in
                LayerCandidate(
                    method: method, ranks: point.ranks, error: point.error,
                    cost: LayerCost(
                        parameters: method.form.parameterCount(of: kernel.shape, ranks: point.ranks) + bias,
                        multiplyAdds: geometry.multiplyAdds(of: kernel.shape, form: method.form, ranks: point.ranks)))
            }
        }
    }
}
