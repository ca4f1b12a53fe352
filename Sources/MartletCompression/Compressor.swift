import Foundation
import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors

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
    ///   - progress: told of each layer as it is done, with the number of layers.
    /// - Throws: ``CompressionError``, ``StatisticsError``, `DecompositionError`, `NetworkError`; whatever `progress` throws.
    public func compress(
        _ network: Network, statistics: Statistics?,
        progress: (CompressionReport.Layer, _ index: Int, _ count: Int) throws -> Void = { _, _, _ in }
    ) throws -> (network: Network, report: CompressionReport) {
        if method.needsStatistics, statistics == nil { throw CompressionError.needsStatistics(method: method.rawValue) }
        if case .vbmf(let ratio) = ranks, !(0...1).contains(ratio) { throw CompressionError.ratioOutOfRange(ratio) }
        try statistics?.check(against: network)
        let layers = network.weightedLayers()
        try checkNames(layers)
        let before = try Costs(network)
        let first = layers.first { if case .convolution = $0.kind { true } else { false } }?.name
        var result = network
        var report = CompressionReport(
            method: method, vbmfRatio: nil, layers: [], parametersBefore: before.total.parameters, parametersAfter: 0,
            multiplyAddsBefore: before.total.multiplyAdds, multiplyAddsAfter: 0)
        if case .vbmf(let ratio) = ranks { report.vbmfRatio = ratio }
        for (index, layer) in layers.enumerated() {
            let start = ContinuousClock.now
            let cost = before[layer.name]
            var entry = CompressionReport.Layer(
                name: layer.name, shape: network.constants[layer.weight]?.shape.extents ?? [], kept: nil, ranks: nil,
                parametersBefore: cost.parameters, parametersAfter: cost.parameters,
                multiplyAddsBefore: cost.multiplyAdds, multiplyAddsAfter: cost.multiplyAdds, sigmaError: nil,
                frobeniusError: nil, sweeps: nil, seconds: 0)
            entry.kept = reasonToKeep(layer, isFirst: layer.name == first, in: network)
            if entry.kept == nil {
                try replace(layer.name, in: &result, original: network, layer: layer, statistics: statistics, &entry)
            }
            entry.seconds = (ContinuousClock.now - start) / .seconds(1)
            report.layers.append(entry)
            try progress(entry, index, layers.count)
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

    /// Why a layer is not for this method, `nil` if it is.
    private func reasonToKeep(_ layer: WeightedLayer, isFirst: Bool, in network: Network) -> String? {
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

    private func replace(
        _ name: String, in result: inout Network, original: Network, layer: WeightedLayer, statistics: Statistics?,
        _ entry: inout CompressionReport.Layer
    ) throws {
        guard let weight = original.constants[layer.weight] else { return }
        let kernel = try ConvolutionKernel(
            outputs: layer.outputs, inputs: layer.inputs, height: layer.kernel.count == 2 ? layer.kernel[0] : 1,
            width: layer.kernel[layer.kernel.count - 1], elements: try weight.elements(Float.self))
        let ranks = try chosenRanks(layer, kernel)
        entry.ranks = [ranks.output, ranks.input]
        let smaller = Tucker2.parameterCount(
            shape: kernel.shape, outputRank: ranks.output, inputRank: ranks.input)
        if smaller >= kernel.parameterCount {
            entry.kept = "would not get smaller"
            return
        }
        let moment = try statistics.map { try SecondMoment($0.moments(of: layer).secondMoment()) }
        let norm: Norm =
            if method.needsStatistics, let moment { .sigma(moment) } else { .frobenius }
        let fit = try Tucker2.fit(kernel, outputRank: ranks.output, inputRank: ranks.input, norm: norm, pool: pool)
        let approximation = fit.factors.reconstructed(pool: pool)
        entry.sweeps = fit.sweeps
        entry.frobeniusError = try kernel.squaredRelativeError(of: approximation, in: .frobenius, pool: pool)
        if let moment {
            entry.sigmaError = try kernel.squaredRelativeError(of: approximation, in: .sigma(moment), pool: pool)
        }
        // The position moves as earlier layers become three.
        guard let current = result.weightedLayers().first(where: { $0.name == name }) else { return }
        try result.replace(current, with: fit.factors)
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
