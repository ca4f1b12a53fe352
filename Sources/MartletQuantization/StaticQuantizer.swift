import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors

/// Quantizes a network after training: weights to int8, one scale an output; activations to uint8, one scale a value.
public struct StaticQuantizer: Sendable {
    /// What may be chosen.
    public struct Options: Sendable {
        /// Layers that stay in floating point, by name.
        public var excluded: Set<String> = []
        /// The ways to find a value's range, of which the one is taken that changes the results of layers least.
        public var rangeMethods = RangeMethod.allCases
        /// Whether the channels between linear layers, as factors are, are mixed first.
        public var rotates = true
        /// Whether channels between layers are evened out first.
        public var equalizes = true
        /// Whether the mean change of each output is taken off its bias.
        public var correctsBias = true
        /// Whether weights are rounded so that each makes good what those before it did wrong, in the Sigma norm.
        public var compensates = true
        /// Images that Sigma is gathered on for that; the first of them.
        public var momentImages = 256
        /// Images that the choice of ranges is measured on; the first of them.
        public var searchImages = 64

        /// The defaults.
        public init() {}
    }

    /// What is chosen.
    public var options = Options()
    /// The threads that share the work.
    public let pool: ThreadPool

    /// A quantizer.
    public init(pool: ThreadPool) { self.pool = pool }

    /// How far a quantization is.
    public typealias Progress = (_ task: String, _ images: Int) throws -> Void

    /// The quantized network, and what became of each layer.
    /// - Parameters:
    ///   - original: a simplified network in single precision.
    ///   - batches: the calibration images, gone over four times.
    ///   - progress: told after each batch; what it throws ends the job.
    /// - Throws: ``QuantizationError``, ``NetworkError``, and what `batches` throws.
    public func quantized(
        _ original: Network, batches: @escaping CalibrationBatches, progress: @escaping Progress = { _, _ in }
    ) throws -> (network: Network, report: QuantizationReport) {
        if original.nodes.contains(where: \.operation.isQuantization) {
            throw QuantizationError.alreadyQuantized(network: original.name)
        }
        var network = original
        try network.joinDepthwiseFilters()
        if options.rotates { try FactorRotation(network).apply(to: &network, pool: pool) }
        network = try equalized(network, batches: batches, progress: progress)
        let placement = try Placement(network, excluding: options.excluded)
        if placement.layers.isEmpty { throw QuantizationError.nothingToQuantize(network: network.name) }
        var channels: [String: Int] = [:]
        for layer in placement.layers {
            if let input = network.nodes[layer.nodeIndex].input(0) { channels[input] = layer.inputs }
        }
        let calibration = try Calibration(
            network, histograms: placement.values, channels: channels, pool: pool, batches: batches,
            progress: { try progress("observe", $0) })
        let laboratories = try placement.layers.map { try LayerLaboratory($0, in: network, pool: pool) }
        let search = try RangeSearch(
            placement, network, histograms: calibration.histograms, methods: options.rangeMethods,
            laboratories: laboratories, pool: pool, batches: limited(batches, to: options.searchImages),
            progress: { try progress("choose ranges", $0) })
        var layers = try placement.layers.map { layer in
            try quantizedLayer(layer, network, placement, search, calibration)
        }
        if options.compensates {
            try compensate(
                &layers, network, batches: limited(batches, to: options.momentImages), progress: progress)
        }
        let errors = try measure(
            &layers, network, placement, search, laboratories, batches: batches, progress: progress)
        let result = try network.quantized(
            placement, parameters: search.choices.mapValues(\.parameters), layers: layers)
        let report = report(
            network, bytes: (original.constantBytes, result.constantBytes), placement, search, errors)
        return (result, report)
    }

    private func limited(_ batches: @escaping CalibrationBatches, to images: Int) -> CalibrationBatches {
        { body in
            var left = images
            try batches { batch in
                if left <= 0 { return }
                left -= batch.shape.extents.first ?? 0
                try body(batch)
            }
        }
    }

    private func equalized(
        _ network: Network, batches: CalibrationBatches, progress: @escaping Progress
    ) throws -> Network {
        guard options.equalizes else { return network }
        let equalization = Equalization(network)
        if equalization.pairs.isEmpty { return network }
        var channels: [String: Int] = [:]
        for pair in equalization.pairs { channels[pair.value] = pair.second.inputs }
        let calibration = try Calibration(
            network, histograms: [], channels: channels, pool: pool, batches: batches,
            progress: { try progress("equalise", $0) })
        var result = network
        try equalization.apply(to: &result, statistics: calibration.channels)
        return result
    }

    private func quantizedLayer(
        _ layer: WeightedLayer, _ network: Network, _ placement: Placement, _ search: RangeSearch,
        _ calibration: Calibration
    ) throws -> QuantizedLayer {
        guard let weight = network.constants[layer.weight], let input = network.nodes[layer.nodeIndex].input(0),
            let choice = search.choices[placement.representative(of: input)]
        else { throw NetworkError.undefinedValue(name: layer.weight, user: "layer '\(layer.name)'") }
        let bias = try layer.bias.flatMap { network.constants[$0] }.map { try $0.elements(Float.self) }
        let importance = calibration.channels[input]?.meanSquares ?? []
        let scale = choice.parameters.scale
        return QuantizedLayer(
            layer: layer,
            weight: try QuantizedWeight(
                layer, weight: weight,
                importance: importance.count == layer.inputs ? importance : [Double](repeating: 1, count: layer.inputs),
                smallestScales: QuantizedLayer.smallestScales(bias: bias, outputs: layer.outputs, inputScale: scale)),
            bias: bias)
    }

    /// Longer patches stay as they are rounded: their Sigma would take hundreds of megabytes.
    private static let largestPatch = 5_120

    /// Rounds weights anew in the norm of what their layers see.
    private func compensate(
        _ layers: inout [QuantizedLayer], _ network: Network, batches: CalibrationBatches, progress: @escaping Progress
    ) throws {
        // Depthwise layers have nothing to make good with.
        let chosen = layers.indices.filter { index in
            let layer = layers[index].layer
            return layer.groups == 1 && layers[index].weight.axis == 0
                && (2...StaticQuantizer.largestPatch).contains(layer.patchSize)
        }
        if chosen.isEmpty { return }
        let names = Set(chosen.map { layers[$0].layer.name })
        let gatherer = try StatisticsGatherer(network: network, pool: pool) { names.contains($0.name) }
        try batches { batch in
            try gatherer.add(batch)
            try progress("gather Sigma", gatherer.images)
        }
        let statistics = try gatherer.finish(data: "", dataDigest: "", preprocessing: "", version: "")
        for index in chosen {
            let layer = layers[index].layer
            guard let weight = network.constants[layer.weight],
                let rounding = try CompensatedRounding(secondMoment: statistics.moments(of: layer).secondMoment())
            else { continue }
            try layers[index].weight.round(weight, by: rounding, pool: pool)
            try progress("round weights", gatherer.images)
        }
    }

    /// Corrects the layers' biases, and returns how far each result is off, squared and relative to its own square.
    private func measure(
        _ layers: inout [QuantizedLayer], _ network: Network, _ placement: Placement, _ search: RangeSearch,
        _ laboratories: [LayerLaboratory], batches: CalibrationBatches, progress: @escaping Progress
    ) throws -> [String: Double] {
        let executors = try zip(laboratories, layers).map { try $0.executor(weight: $1.weight.values) }
        let inputs = layers.map { network.nodes[$0.layer.nodeIndex].input(0) ?? "" }
        var shifts = layers.map { OutputShift(outputs: $0.layer.outputs) }
        let tapped = try TappedNetwork(network, values: inputs, pool: pool)
        var seen = 0
        try batches { batch in
            let values = try tapped.run(batch)
            for index in layers.indices {
                guard let value = values[inputs[index]],
                    let choice = search.choices[placement.representative(of: inputs[index])]
                else { continue }
                let rounded = try value.requantized(choice.parameters)
                try shifts[index].add(
                    exact: laboratories[index].result(value),
                    rounded: laboratories[index].result(rounded, by: executors[index]))
            }
            seen += batch.shape.extents.first ?? 0
            try progress("correct biases", seen)
        }
        var errors: [String: Double] = [:]
        for index in layers.indices {
            errors[layers[index].layer.name] = shifts[index].relativeError(corrected: options.correctsBias)
            if options.correctsBias { layers[index].correctBias(by: shifts[index].means, network) }
        }
        return errors
    }

    private func report(
        _ network: Network, bytes: (before: Int, after: Int), _ placement: Placement, _ search: RangeSearch,
        _ errors: [String: Double]
    ) -> QuantizationReport {
        let quantized = Dictionary(uniqueKeysWithValues: placement.layers.map { ($0.name, $0) })
        let layers = network.weightedLayers().map { layer in
            var entry = QuantizationReport.Layer(name: layer.name, precision: "float32")
            if quantized[layer.name] != nil, let input = network.nodes[layer.nodeIndex].input(0) {
                entry.precision = "int8"
                entry.range = search.choices[placement.representative(of: input)]?.method
                entry.error = errors[layer.name]
            }
            return entry
        }
        return QuantizationReport(
            precision: "int8", layers: layers, bytesBefore: bytes.before, bytesAfter: bytes.after)
    }
}

extension QuantizedLayer {
    /// Adds the mean change of each output to the bias, where there can be one.
    fileprivate mutating func correctBias(by shift: [Double], _ network: Network) {
        if case .matMul = network.nodes[layer.nodeIndex].operation { return }
        let own = bias ?? [Float](repeating: 0, count: layer.outputs)
        bias = zip(own, shift).map { Float(Double($0) + $1) }
    }
}

extension Operator {
    /// Whether it is one of a quantized network.
    var isQuantization: Bool {
        switch self {
        case .quantizeLinear, .dequantizeLinear, .dynamicQuantizeLinear, .quantizedConvolution, .quantizedMatMul,
            .integerConvolution, .integerMatMul:
            true
        default: false
        }
    }
}

extension Network {
    /// The bytes of the network's constants.
    public var constantBytes: Int { constants.values.reduce(0) { $0 + $1.byteCount } }
}
