import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import Synchronization

/// Replaces the layers of a network by low-rank factors.
public struct Compressor {
    /// How.
    public var method: CompressionMethod
    /// With which ranks.
    public var ranks: RankChoice
    /// Whether the first convolution is compressed too. The paper leaves it alone: it is small, and everything depends on it.
    public var includesFirstConvolution = false
    /// The threads that share the work.
    public var pool: ThreadPool

    /// A compressor.
    public init(method: CompressionMethod, ranks: RankChoice, pool: ThreadPool = ThreadPool()) {
        self.method = method
        self.ranks = ranks
        self.pool = pool
    }

    /// A smaller network and what became of each layer.
    ///
    /// A layer that would not get smaller is left as it is.
    /// - Parameters:
    ///   - network: as ``Network/simplified()`` leaves it.
    ///   - statistics: of this network; with them the Sigma error is reported whatever the method.
    ///   - progress: told of each layer as it is done, with how many are done and how many there are to do, one call at
    ///     a time but on any thread.
    /// - Throws: ``CompressionError``, ``StatisticsError``, `DecompositionError`, `NetworkError`; whatever `progress` throws.
    public func compress(
        _ network: Network, statistics: Statistics?,
        progress: (CompressionReport.Layer, _ done: Int, _ count: Int) throws -> Void = { _, _, _ in }
    ) throws -> (network: Network, report: CompressionReport) {
        if method.needsStatistics, statistics == nil { throw CompressionError.needsStatistics(method: method.rawValue) }
        if case .vbmf(let ratio) = ranks, !(0...1).contains(ratio) { throw CompressionError.ratioOutOfRange(ratio) }
        try statistics?.check(against: network)
        let layers = network.weightedLayers()
        try checkNames(layers)
        let before = try Costs(network)
        let first = layers.first { if case .convolution = $0.kind { true } else { false } }?.name
        var report = CompressionReport(
            method: method, vbmfRatio: nil, layers: [], parametersBefore: before.total.parameters, parametersAfter: 0,
            multiplyAddsBefore: before.total.multiplyAdds, multiplyAddsAfter: 0)
        if case .vbmf(let ratio) = ranks { report.vbmfRatio = ratio }
        for layer in layers {
            let cost = before[layer.name]
            report.layers.append(
                CompressionReport.Layer(
                    name: layer.name, shape: network.constants[layer.weight]?.shape.extents ?? [],
                    kept: reasonToKeep(layer, isFirst: layer.name == first), parametersBefore: cost.parameters,
                    parametersAfter: cost.parameters, multiplyAddsBefore: cost.multiplyAdds,
                    multiplyAddsAfter: cost.multiplyAdds))
        }
        let factors = try decompose(layers, of: network, statistics: statistics, report: &report, progress: progress)

        var result = network
        for (layer, factors) in zip(layers, factors) {
            // The position moves as earlier layers become three.
            guard let factors, let current = result.weightedLayers().first(where: { $0.name == layer.name }) else {
                continue
            }
            try result.replace(current, with: factors)
        }
        result.removeDeadNodes()
        let after = try Costs(result)
        report.parametersAfter = after.total.parameters
        report.multiplyAddsAfter = after.total.multiplyAdds
        for index in report.layers.indices where report.layers[index].kept == nil {
            let parts = ["input_factor", "core", "output_factor"].map { after["\(report.layers[index].name).\($0)"] }
            let cost = parts.reduce(Cost(), +)
            report.layers[index].parametersAfter = cost.parameters
            report.layers[index].multiplyAddsAfter = cost.multiplyAdds
        }
        return (result, report)
    }

    /// The factors of each layer that is replaced. Layers are shared out among the threads, the largest first.
    private func decompose(
        _ layers: [WeightedLayer], of network: Network, statistics: Statistics?, report: inout CompressionReport,
        progress: (CompressionReport.Layer, _ done: Int, _ count: Int) throws -> Void
    ) throws -> [Tucker2?] {
        struct State {
            var entries: [CompressionReport.Layer]
            var factors: [Tucker2?]
            var done = 0
        }
        let jobs = layers.indices.filter { report.layers[$0].kept == nil }
            .sorted {
                (layers[$1].patchSize * layers[$1].outputs, $0) < (layers[$0].patchSize * layers[$0].outputs, $1)
            }
        let state = Mutex(State(entries: report.layers, factors: [Tucker2?](repeating: nil, count: layers.count)))
        try pool.forEachThrowing(jobs.count) { job in
            let index = jobs[job]
            let start = ContinuousClock.now
            var entry = state.withLock { $0.entries[index] }
            let factors = try decompose(layers[index], of: network, statistics: statistics, &entry)
            entry.seconds = (ContinuousClock.now - start) / .seconds(1)
            try state.withLock { state in
                state.entries[index] = entry
                state.factors[index] = factors
                state.done += 1
                try progress(entry, state.done, jobs.count)
            }
        }
        return state.withLock { state in
            report.layers = state.entries
            return state.factors
        }
    }

    /// Why a layer is not for this method, `nil` if it is.
    private func reasonToKeep(_ layer: WeightedLayer, isFirst: Bool) -> String? {
        guard case .convolution = layer.kind else { return "fully connected" }
        if layer.kernel.allSatisfy({ $0 == 1 }) { return "pointwise" }
        if layer.groups > 1 { return layer.groups == layer.inputs ? "depthwise" : "\(layer.groups) groups" }
        if layer.kernel.count > 2 { return "\(layer.kernel.count) spatial axes" }
        if isFirst, !includesFirstConvolution { return "first convolution" }
        if case .explicit(let ranks) = ranks, ranks[layer.name] == nil { return "no ranks given" }
        return nil
    }

    private func checkNames(_ layers: [WeightedLayer]) throws {
        guard case .explicit(let ranks) = ranks else { return }
        let known = layers.filter { $0.kernel.contains { $0 > 1 } && $0.groups == 1 }.map(\.name)
        if let stranger = ranks.keys.filter({ !known.contains($0) }).min() {
            throw CompressionError.unknownLayer(name: stranger, known: known)
        }
    }

    /// The factors of a layer, or `nil` if they would not be smaller; the entry is told which.
    private func decompose(
        _ layer: WeightedLayer, of network: Network, statistics: Statistics?, _ entry: inout CompressionReport.Layer
    ) throws -> Tucker2? {
        guard let weight = network.constants[layer.weight] else { return nil }
        let kernel = try ConvolutionKernel(
            outputs: layer.outputs, inputs: layer.inputs, height: layer.kernel.count == 2 ? layer.kernel[0] : 1,
            width: layer.kernel[layer.kernel.count - 1], elements: try weight.elements(Float.self))
        let ranks = try chosenRanks(layer, kernel)
        entry.ranks = [ranks.output, ranks.input]
        let count = Tucker2.parameterCount(shape: kernel.shape, outputRank: ranks.output, inputRank: ranks.input)
        if count >= kernel.parameterCount {
            entry.kept = "would not get smaller"
            return nil
        }
        let moment = try statistics.map { statistics in
            let moments = try statistics.moments(of: layer)
            return try SecondMoment(moments.secondMoment(), patchCount: moments.count)
        }
        let norm: Norm = if method.needsStatistics, let moment { .sigma(moment) } else { .frobenius }
        let fit = try Tucker2.fit(kernel, outputRank: ranks.output, inputRank: ranks.input, norm: norm, pool: pool)
        let approximation = fit.factors.reconstructed(pool: pool)
        entry.sweeps = fit.sweeps
        entry.frobeniusError = try kernel.squaredRelativeError(of: approximation, in: .frobenius, pool: pool)
        if let moment {
            entry.sigmaError = try kernel.squaredRelativeError(of: approximation, in: .sigma(moment), pool: pool)
        }
        return fit.factors
    }

    private func chosenRanks(_ layer: WeightedLayer, _ kernel: ConvolutionKernel) throws -> (output: Int, input: Int) {
        switch ranks {
        case .vbmf(let ratio):
            return try RankSelection.tucker2Ranks(of: kernel, ratio: ratio, pool: pool)
        case .explicit(let ranks):
            let pair = ranks[layer.name] ?? [layer.outputs, layer.inputs]
            guard pair.count == 2, (1...layer.outputs).contains(pair[0]), (1...layer.inputs).contains(pair[1]) else {
                throw CompressionError.rankOutOfRange(
                    layer: layer.name, ranks: pair, maximum: [layer.outputs, layer.inputs])
            }
            return (pair[0], pair[1])
        }
    }
}

/// The costs of a network's nodes by name, for one image.
private struct Costs {
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
