import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors

/// Compresses stage by stage, each layer fitted to what it sees once the layers before it are compressed, and to what it put
/// out before.
///
/// With few images the regression of the original's outputs on the new inputs follows their noise. So the moments of the new
/// inputs are drawn towards the layer's own, by as much as serves the half of the images that was not fitted to; drawn all
/// the way, the layer is compressed as without a sequence. (Asymmetric reconstruction, Zhang et al. 2015, with shrinkage.)
struct SequentialCompression {
    /// Goes over the images once, in the same batches every time.
    typealias BatchSource = (_ body: (Tensor) throws -> Void) throws -> Void

    let network: Network
    let statistics: Statistics
    let compressor: Compressor
    let batches: BatchSource
    /// Whether a layer also makes good what a value that is added to its output has lost.
    var mendsSums = true
    let pool: ThreadPool

    /// How much of the layer's own moments is mixed in; 1 is all.
    static let shrinkages = [0.02, 0.1, 0.3, 0.6, 1]

    /// The network and what became of each layer, and by how much each was drawn towards its own moments.
    func run(
        checkCancellation: () throws -> Void, progress: (_ done: Int, _ count: Int) throws -> Void
    ) throws -> (outcome: Compressor.Outcome, shrinkages: [String: Double]) {
        let layers = network.weightedLayers()
        let depths = network.weightedDepths()
        let first = layers.first { $0.layerKind != .fullyConnected }?.name
        let chosen = layers.filter {
            if case .decompose = compressor.rules.decision(on: $0, isFirstConvolution: $0.name == first) { return true }
            return false
        }
        var replacements: [String: LayerReplacement] = [:]
        var retargeted: [String: RetargetedLayer] = [:]
        var shrinkages: [String: Double] = [:]
        var entries: [String: CompressionReport.Layer] = [:]
        for depth in Set(chosen.map { depths[$0.name] ?? 0 }).sorted() {
            try checkCancellation()
            let stage = chosen.filter { depths[$0.name] == depth }
            var current = compressor
            // Nothing has changed before the first.
            if !replacements.isEmpty {
                let now = try network.replacing(replacements)
                for (layer, target, shrinkage) in try targets(stage, now: now, checkCancellation) {
                    current.retargeted[layer] = target
                    retargeted[layer] = target
                    shrinkages[layer] = shrinkage
                }
            }
            let names = Set(stage.map(\.name))
            for layer in layers where !names.contains(layer.name) {
                var keeping = LayerOverrides.Entry()
                keeping.keeps = true
                current.rules.overrides.entries[layer.name] = keeping
            }
            let outcome = try current.run(network, statistics: statistics, checkCancellation: checkCancellation)
            replacements.merge(outcome.replacements) { $1 }
            for entry in outcome.report.layers where names.contains(entry.name) { entries[entry.name] = entry }
            try progress(entries.count, chosen.count)
        }
        // Once more for the report: every fit is known already.
        var outcome = try reported(replacements, entries)
        outcome.replacements = replacements
        return (outcome, shrinkages)
    }

    /// The report of a network with these replacements.
    private func reported(
        _ replacements: [String: LayerReplacement], _ entries: [String: CompressionReport.Layer]
    ) throws -> Compressor.Outcome {
        var keeping = compressor
        for name in replacements.keys {
            var entry = LayerOverrides.Entry()
            entry.keeps = true
            keeping.rules.overrides.entries[name] = entry
        }
        let result = try network.replacing(replacements)
        let before = try keeping.run(network, statistics: statistics, checkCancellation: {})
        var report = before.report
        report.layers = report.layers.map { entries[$0.name] ?? $0 }
        let costs = try Costs(result).total
        report.parametersAfter = costs.parameters
        report.multiplyAddsAfter = costs.multiplyAdds
        return Compressor.Outcome(network: result, report: report, replacements: replacements)
    }

    private func targets(
        _ stage: [WeightedLayer], now: Network, _ checkCancellation: () throws -> Void
    ) throws -> [(String, RetargetedLayer, Double)] {
        let names = Set(stage.filter { $0.groups == 1 && network.canCorrectBias(of: $0) }.map(\.name))
        if names.isEmpty { return [] }
        // Two halves, so that one can be held out.
        let halves = try (0..<2).map { _ in
            try TargetGatherer(original: network, changed: now, mendsSums: mendsSums, pool: pool) {
                names.contains($0.name)
            }
        }
        var number = 0
        try batches { batch in
            try checkCancellation()
            try halves[number % 2].add(batch)
            number += 1
        }
        if number < 2 { return [] }
        return try stage.filter { names.contains($0.name) }.compactMap { layer in
            try checkCancellation()
            guard let kernel = try network.kernel(of: layer) else { return nil }
            let parts = try halves.map { try Half(try $0.moments(of: layer.name)) }
            let own = try statistics.moments(of: layer)
            let covariance = try SecondMoment(own.secondMoment(), patchCount: own.count).centred(by: own.mean())
            let prior = Prior(
                kernel: kernel, moment: covariance.matrix,
                cross: try covariance.matrix.multiplied(by: kernel.matrix, otherTransposed: true, pool: pool),
                // What neither moment has seen keeps its weight.
                ridge: covariance.suggestedRegularization * covariance.matrix.trace / Double(covariance.dimension))
            var best = (error: Double.infinity, shrinkage: 1.0)
            for shrinkage in Self.shrinkages {
                var error = 0.0
                for (fitted, held) in [(parts[0], parts[1]), (parts[1], parts[0])] {
                    let weights = try regression(fitted, prior, shrinkage).weights
                    error += try held.error(of: weights, pool: pool)
                }
                if error < best.error { best = (error, shrinkage) }
            }
            let whole = Half(merging: parts)
            let (weights, moment) = try regression(whole, prior, best.shrinkage)
            let target = RetargetedLayer(
                kernel: try ConvolutionKernel(
                    outputs: kernel.outputs, inputs: kernel.inputs, height: kernel.height, width: kernel.width,
                    elements: weights.elements),
                moment: try SecondMoment(moment, patchCount: own.count), mean: whole.mean,
                outputMean: whole.targetMean)
            return (layer.name, target, best.shrinkage)
        }
    }

    /// A layer as it was: what its regression is drawn towards.
    private struct Prior {
        var kernel: ConvolutionKernel
        /// `C`, its own centred moment.
        var moment: Matrix
        /// `C W^T`, as if nothing had changed.
        var cross: Matrix
        var ridge: Double
    }

    /// The weights of the regression of the targets on the inputs, with both moments drawn towards the layer's own, and the
    /// moment of the inputs.
    private func regression(
        _ half: Half, _ prior: Prior, _ shrinkage: Double
    ) throws -> (weights: Matrix, moment: Matrix) {
        let moment = half.inputs.mixed(with: prior.moment, shrinkage)
        if shrinkage == 1 { return (prior.kernel.matrix, moment) }
        var right = half.cross.mixed(with: prior.cross, shrinkage)
        let weights = prior.kernel.matrix.transposed
        right = right.adding(weights, times: prior.ridge)
        let system = try CholeskyDecomposition(moment.raised(prior.ridge))
        return (try system.solve(right, pool: pool).transposed, moment)
    }

    /// The moments of some of the images, centred.
    private struct Half {
        var count: Int
        /// `E[u' u'^T]` less the product of the means.
        var inputs: Matrix
        /// `E[u' y^T]` less the product of the means, `[D, T]`.
        var cross: Matrix
        var mean: [Double]
        var targetMean: [Double]
        /// `E|y|^2` less that of the mean.
        var variance: Double

        init(_ moments: TargetMoments) throws {
            count = moments.inputs.count
            mean = moments.inputs.mean()
            targetMean = moments.targetMean
            inputs = try moments.inputs.secondMoment().lessProduct(mean, mean)
            cross = moments.cross.lessProduct(mean, targetMean)
            variance = moments.targetSquare - targetMean.reduce(0) { $0 + $1 * $1 }
        }

        /// Of two halves; each is centred by its own mean.
        init(merging parts: [Half]) {
            count = parts.reduce(0) { $0 + $1.count }
            let share = Double(parts[1].count) / Double(max(1, count))
            inputs = parts[0].inputs.mixed(with: parts[1].inputs, share)
            cross = parts[0].cross.mixed(with: parts[1].cross, share)
            func mixed(_ a: [Double], _ b: [Double]) -> [Double] {
                zip(a, b).map { $0 * (1 - share) + $1 * share }
            }
            mean = mixed(parts[0].mean, parts[1].mean)
            targetMean = mixed(parts[0].targetMean, parts[1].targetMean)
            variance = parts[0].variance * (1 - share) + parts[1].variance * share
        }

        /// `E|y - V u'|^2` over these images, with the best bias.
        func error(of weights: Matrix, pool: ThreadPool) throws -> Double {
            let common = weights.transposed.dot(cross)
            let fitted = weights.dot(try weights.multiplied(by: inputs, pool: pool))
            return variance - 2 * common + fitted
        }
    }
}

extension Matrix {
    /// `(1 - share) self + share other`.
    fileprivate func mixed(with other: Matrix, _ share: Double) -> Matrix {
        var result = self
        other.elements.withUnsafeBufferPointer { other in
            result.withMutableElements { elements in
                for index in elements.indices { elements[index] += share * (other[index] - elements[index]) }
            }
        }
        return result
    }

    /// `self - a b^T`.
    fileprivate func lessProduct(_ a: [Double], _ b: [Double]) -> Matrix {
        var result = self
        let columns = self.columns
        result.withMutableElements { elements in
            for row in 0..<a.count {
                for column in 0..<columns { elements[row * columns + column] -= a[row] * b[column] }
            }
        }
        return result
    }

    /// `self + factor other`.
    fileprivate func adding(_ other: Matrix, times factor: Double) -> Matrix {
        var result = self
        other.elements.withUnsafeBufferPointer { other in
            result.withMutableElements { elements in
                for index in elements.indices { elements[index] += factor * other[index] }
            }
        }
        return result
    }

    fileprivate func raised(_ value: Double) -> Matrix {
        var result = self
        for index in 0..<rows { result[index, index] += value }
        return result
    }
}

extension Network {
    /// How many layers with weights lie before each of them on the longest way from the input, by name.
    func weightedDepths() -> [String: Int] {
        let weighted = Set(weightedLayers().map(\.name))
        var depths: [String: Int] = [:]
        var byValue: [String: Int] = [:]
        for node in nodes {
            let before = node.inputs.compactMap { $0.flatMap { byValue[$0] } }.max() ?? 0
            let isWeighted = weighted.contains(node.name)
            if isWeighted { depths[node.name] = before }
            for case let output? in node.outputs { byValue[output] = before + (isWeighted ? 1 : 0) }
        }
        return depths
    }
}
