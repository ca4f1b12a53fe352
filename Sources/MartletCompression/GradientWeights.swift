import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics

/// What a layer's error weighs, from the gradients at its output and the moments of its input, without running the network.
struct GradientWeights {
    let gradients: GradientStatistics
    let statistics: Statistics
    /// Whether errors are those of the centred outputs.
    let centres: Bool
    let pool: ThreadPool

    /// For each layer `P tr(Lambda W C W^T)`, with `P` the places of its map.
    ///
    /// An error `E` in the weights moves what was differentiated by `sum_p g_p . E u_p`. If the places and the two factors are
    /// independent, its mean square is `P tr(Lambda E C E^T)`, and relative errors in the complete norm times these
    /// weights are that, exactly; in the Sigma norm if the error looks like the output.
    func weights(of network: Network) throws -> [String: Double] {
        try gradients.check(against: network)
        var result: [String: Double] = [:]
        for layer in network.weightedLayers() where layer.groups == 1 {
            guard let kernel = try network.kernel(of: layer) else { continue }
            let moments = try statistics.moments(of: layer)
            var moment = try SecondMoment(moments.secondMoment(), patchCount: moments.count)
            if centres, network.canCorrectBias(of: layer) { moment = try moment.centred(by: moments.mean()) }
            let sums = try gradients.gradients(of: layer)
            let outputs = try kernel.matrix.multiplied(by: moment.matrix, pool: pool)
                .multiplied(by: kernel.matrix, otherTransposed: true, pool: pool)
            let weight = Double(sums.count) / Double(max(1, gradients.runs)) * sums.outputMoment().dot(outputs)
            // A layer without effect, or of rounding alone, must not count for less than nothing.
            result[layer.name] = max(weight, 1e-12)
        }
        // Only their proportions matter.
        let mean = result.isEmpty ? 1 : result.values.reduce(0, +) / Double(result.count)
        return result.mapValues { $0 / max(mean, 1e-300) }
    }
}

extension GradientStatistics {
    /// `Lambda` at a layer's output.
    /// - Throws: ``StatisticsError``, `DecompositionError`.
    func outputMoment(of layer: WeightedLayer) throws -> OutputMoment {
        try OutputMoment(gradients(of: layer).outputMoment(), runCount: runs)
    }
}
