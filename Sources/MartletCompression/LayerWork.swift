import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletStatistics
import MartletTensors

/// The decomposition of one layer of a network.
struct LayerWork {
    let compressor: Compressor
    let network: Network
    let statistics: Statistics?
    /// The network's, computed once.
    private let digest: String

    init(compressor: Compressor, network: Network, statistics: Statistics?) {
        self.compressor = compressor
        self.network = network
        self.statistics = statistics
        self.digest = compressor.finishedLayers == nil ? "" : NetworkDigest.digest(of: network)
    }

    /// What stands for a layer, or `nil` if it would not be smaller; the entry, whose method is known, is told the rest.
    func replacement(
        for layer: WeightedLayer, _ entry: inout CompressionReport.Layer, checkCancellation: () throws -> Void
    ) throws -> LayerReplacement? {
        try checkCancellation()
        guard let method = entry.method, let kernel = try network.kernel(of: layer) else { return nil }
        let ranks = try ranks(for: layer, kernel, method)
        entry.ranks = ranks
        let count = method.form.parameterCount(of: kernel.shape, ranks: ranks)
        if count >= kernel.parameterCount {
            entry.kept = "would not get smaller"
            return nil
        }
        let key = key(layer, method, ranks)
        if let finished = compressor.finishedLayers?.read(key: key), finished.entry.name == layer.name,
            finished.replacement.links.reduce(0, { $0 + $1.kernel.parameterCount }) == count,
            finished.replacement.links.allSatisfy({ method.form.layerNames.contains($0.name) })
        {
            entry = finished.entry
            return finished.replacement
        }
        let start = ContinuousClock.now
        let replacement = try decompose(kernel, layer, method, ranks, &entry, checkCancellation)
        entry.seconds = (ContinuousClock.now - start) / .seconds(1)
        try compressor.finishedLayers?.write(replacement, entry, key: key)
        return replacement
    }

    private func decompose(
        _ kernel: ConvolutionKernel, _ layer: WeightedLayer, _ method: DecompositionMethod, _ ranks: [Int],
        _ entry: inout CompressionReport.Layer, _ checkCancellation: () throws -> Void
    ) throws -> LayerReplacement {
        let pool = compressor.pool
        let target = compressor.retargeted[layer.name]
        let kernel = target?.kernel ?? kernel
        let (measurements, mean) =
            try target.map {
                (
                    LayerMeasurements(secondMoment: $0.moment, outputMoment: try outputMoment(of: layer, method)), nil
                )
            } ?? measurements(layer, kernel, method)
        let fit = try method.fit(
            kernel, ranks: ranks, measurements: measurements, options: compressor.options, pool: pool,
            checkCancellation: checkCancellation)
        let approximation = try fit.factors.reconstructed(pool: pool)
        entry.sweeps = fit.sweeps
        entry.trace = fit.errors
        entry.converged = fit.converged
        entry.termEnergyRatio = try (fit.factors as? CanonicalPolyadic)?.termEnergyRatio(pool: pool)
        entry.frobeniusError = try kernel.squaredRelativeError(of: approximation, in: .frobenius, pool: pool)
        if let moment = measurements.secondMoment {
            entry.sigmaError = try kernel.squaredRelativeError(of: approximation, in: .sigma(moment), pool: pool)
            entry.completeError = try measurements.outputMoment?.squaredRelativeError(
                of: approximation, to: kernel, secondMoment: moment, pool: pool)
        }
        if compressor.seedCount > 0, method.hasStarts {
            var options = compressor.options
            options.start = .random
            options.restarts = 1
            let errors = try (0..<compressor.seedCount).map { index in
                options.seed = compressor.options.seed &+ UInt64(index)
                return try method.fit(
                    kernel, ranks: ranks, measurements: measurements, options: options, pool: pool,
                    checkCancellation: checkCancellation
                ).errors.last ?? .nan
            }
            entry.seeds = CompressionReport.Layer.Spread(firstSeed: compressor.options.seed, errors: errors)
        }
        return LayerReplacement(
            links: fit.factors.layers,
            bias: try target?.bias(of: approximation)
                ?? mean.map { try network.bias(of: layer, correctedFor: kernel, approximation, mean: $0) })
    }

    /// What is known about a layer, and the mean of its input if the bias is to be corrected.
    private func measurements(
        _ layer: WeightedLayer, _ kernel: ConvolutionKernel, _ method: DecompositionMethod
    ) throws -> (LayerMeasurements, mean: [Double]?) {
        var result = LayerMeasurements(outputMoment: try outputMoment(of: layer, method))
        if method.measure == .fisher {
            result.fisherInformation = try compressor.gradients?.gradients(of: layer).fisherInformation()
        }
        guard let statistics else { return (result, nil) }
        let moments = try statistics.moments(of: layer)
        var moment = try SecondMoment(moments.secondMoment(), patchCount: moments.count)
        let mean = compressor.centres && network.canCorrectBias(of: layer) ? moments.mean() : nil
        if let mean { moment = try moment.centred(by: mean) }
        result.secondMoment = moment
        if method.measure == .outputMagnitudes {
            // A bias that is computed is not known here.
            let bias = try layer.bias.flatMap { network.constants[$0] }.map {
                try $0.elements(Float.self).map(Double.init)
            }
            result.outputMagnitudes = try OutputMagnitudes.estimated(
                kernel, bias: bias?.count == layer.outputs ? bias : nil, mean: moments.mean(),
                secondMoment: try SecondMoment(moments.secondMoment()), pool: compressor.pool)
        }
        return (result, mean)
    }

    private func outputMoment(of layer: WeightedLayer, _ method: DecompositionMethod) throws -> OutputMoment? {
        guard compressor.usesCompleteNorm, method.measure == .sigma else { return nil }
        return try compressor.gradients?.outputMoment(of: layer)
    }

    private func ranks(
        for layer: WeightedLayer, _ kernel: ConvolutionKernel, _ method: DecompositionMethod
    ) throws -> [Int] {
        let override = compressor.rules.overrides.entry(for: layer.name)
        let ratio: Double
        var chosen = override?.ranks
        if chosen == nil, override?.vbmfRatio == nil, case .explicit(let ranks) = compressor.ranks {
            chosen = ranks[layer.name]
        }
        if let chosen {
            do {
                try method.form.check(ranks: chosen, of: kernel.shape)
            } catch {
                throw CompressionError.rankOutOfRange(
                    layer: layer.name, ranks: chosen, maximum: method.form.maximumRanks(of: kernel.shape))
            }
            return chosen
        }
        if case .vbmf(let general) = compressor.ranks {
            ratio = override?.vbmfRatio ?? general
        } else {
            ratio = override?.vbmfRatio ?? 0.5
        }
        return try RankSelection.ranks(of: kernel, form: method.form, ratio: ratio, pool: compressor.pool)
    }

    /// A digest of everything that the result depends on.
    private func key(_ layer: WeightedLayer, _ method: DecompositionMethod, _ ranks: [Int]) -> String {
        guard compressor.finishedLayers != nil else { return "" }
        var hash = FNV1a()
        for text in [digest, layer.name, method.rawValue, "\(ranks)", "\(compressor.options)"] { hash.add(text) }
        hash.add(compressor.seedCount)
        hash.add(compressor.centres ? 1 : 0)
        if let target = compressor.retargeted[layer.name] { hash.add(target.digest) }
        if let provenance = statistics?.provenance { hash.add(provenance) }
        if let gradients = compressor.gradients, compressor.usesCompleteNorm || method.measure == .fisher {
            hash.add(gradients.provenance)
            hash.add("\(gradients.source) \(gradients.draws)")
        }
        return hash.text
    }
}

extension FNV1a {
    /// Everything that statistics depend on.
    fileprivate mutating func add(_ provenance: Provenance) {
        for text in [
            provenance.networkDigest, provenance.data, provenance.dataDigest, provenance.preprocessing,
            "\(provenance.images)", provenance.version,
        ] { add(text) }
    }
}
