import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Gathers the moments of every layer's input while a network runs over images.
///
/// Feed it the images in order, ``imagesPerStep`` at a time: that many are multiplied in single precision before they are
/// added to the sums, so other portions would round differently.
public final class StatisticsGatherer {
    /// How many images belong together.
    public static let imagesPerStep = 16

    let network: Network
    let executor: Executor
    /// One for each different view of a value of the network, and the names of the layers that have it.
    let gatherers: [(gatherer: LayerGatherer, layers: [String])]
    private let scratch = Scratch()
    /// The number of images seen.
    public internal(set) var images = 0
    /// The number of batches seen.
    public internal(set) var steps = 0
    /// The number of images in the first, the third and every other odd batch.
    var firstHalf = 0
    /// The time spent on each view's sums, by the name of its first layer.
    private var seconds: [String: Double] = [:]

    /// A gatherer of the layers of a network.
    ///
    /// - Parameters:
    ///   - network: as ``Network/simplified(keepingHalfWeights:)`` leaves it, with one input.
    ///   - form: How to add up; for each layer the cheapest unless told.
    ///   - wanted: Which layers; all with constant weights unless told.
    /// - Throws: `NetworkError`, `TensorError` if the moments do not fit into memory, `InstructionSetError`.
    public init(
        network: Network, pool: ThreadPool, form: MomentForm? = nil,
        layers wanted: (WeightedLayer) -> Bool = { _ in true }
    ) throws {
        guard network.inputs.count == 1 else {
            throw NetworkError.unsupported(
                node: network.name, reason: "statistics of a network with \(network.inputs.count) inputs")
        }
        self.network = network
        executor = try Executor(network: network, pool: pool, options: .showingLayers)
        let kernels = MomentKernels(try InstructionSet.chosen())
        // Layers that see the same patches, as the branches of an inception module do, have one Sigma.
        var gatherers: [(gatherer: LayerGatherer, layers: [String])] = []
        var indices: [LayerGatherer.View: Int] = [:]
        for layer in network.weightedLayers() where wanted(layer) {
            let view = LayerGatherer.View(layer, in: network)
            if let index = indices[view] {
                gatherers[index].layers.append(layer.name)
            } else {
                indices[view] = gatherers.count
                let gatherer = LayerGatherer(
                    layer: layer, kernels: kernels, form: form, imagesPerStep: StatisticsGatherer.imagesPerStep)
                gatherers.append((gatherer, [layer.name]))
            }
        }
        self.gatherers = gatherers
    }

    /// The memory that the sums take, in bytes.
    public var byteCount: Int { gatherers.reduce(0) { $0 + $1.gatherer.byteCount } }

    /// Runs the network over a batch `[n, C, H, W]` and adds what its layers see.
    /// - Throws: `NetworkError`, ``StatisticsError/nonFinite(layer:)``.
    public func add(_ batch: Tensor) throws {
        let (scratch, step) = (scratch, steps)
        let pool = executor.pool
        let byName = Dictionary(
            gatherers.map { ($0.gatherer.layer.name, $0.gatherer) }, uniquingKeysWith: { first, _ in first })
        let clock = ContinuousClock()
        func timed(_ layer: String, _ body: () throws -> Void) rethrows {
            self.seconds[layer, default: 0] += try clock.measure(body) / .seconds(1)
        }
        let observer = Observer(layers: Set(byName.keys)) { name, input in
            guard let gatherer = byName[name], gatherer.takes(input) else { return false }
            try timed(name) { try gatherer.add(input, step: step, scratch: scratch, pool: pool) }
            return true
        } observe: { name, input in
            try timed(name) { try byName[name]?.add(input, step: step, scratch: scratch, pool: pool) }
        }
        _ = try executor.run([network.inputs[0].name: batch], observing: observer)
        let count = batch.shape.rank > 0 ? batch.shape[0] : 1
        if steps % 2 == 0 { firstHalf += count }
        images += count
        steps += 1
    }

    /// The moments gathered so far.
    /// - Throws: ``StatisticsError/empty``.
    public func statistics(
        data: String, dataDigest: String, preprocessing: String, version: String
    ) throws -> Statistics {
        if images == 0 { throw StatisticsError.empty }
        let provenance = Provenance(
            network: network.name, networkDigest: NetworkDigest.digest(of: network), data: data,
            dataDigest: dataDigest, preprocessing: preprocessing, images: images, version: version)
        var moments: [String: LayerMoments] = [:]
        for (gatherer, layers) in gatherers {
            // One piece of memory for all layers that see the same.
            let shared = try gatherer.moments(pool: executor.pool)
            for layer in layers { moments[layer] = shared }
        }
        return Statistics(provenance: provenance, layers: moments)
    }

    /// The moments gathered, put together layer by layer as they are asked for: no second copy of all of them is made.
    /// The gatherer must not be used any more.
    /// - Throws: ``StatisticsError/empty``.
    public func finish(
        data: String, dataDigest: String, preprocessing: String, version: String
    ) throws -> Statistics {
        if images == 0 { throw StatisticsError.empty }
        let provenance = Provenance(
            network: network.name, networkDigest: NetworkDigest.digest(of: network), data: data,
            dataDigest: dataDigest, preprocessing: preprocessing, images: images, version: version)
        return Statistics(provenance: provenance, gathered: GatheredMoments(gatherers, pool: executor.pool))
    }

    /// How far Sigma still moves, layer by layer: how far the second moments of the even and of the odd steps are apart,
    /// relative to that of all; `nil` before there are two steps.
    ///
    /// The error of the whole is about half of it, and falls with the square root of the images.
    public var changes: [String: Double]? {
        guard firstHalf > 0, firstHalf < images else { return nil }
        let share = Double(firstHalf) / Double(images)
        var changes: [String: Double] = [:]
        for (gatherer, layers) in gatherers {
            for layer in layers { changes[layer] = gatherer.current?.sums.relativeChange(firstHalf: share) ?? 0 }
        }
        return changes
    }

    /// What gathering has cost so far, layer by layer.
    public var costs: [LayerCost] {
        gatherers.map { gatherer, layers in
            LayerCost(
                layers: layers, patchSize: gatherer.layer.patchSize, form: gatherer.current?.sums.plan.form,
                bytes: gatherer.byteCount, seconds: seconds[gatherer.layer.name] ?? 0)
        }
    }

    /// What gathering the moments of one layer's input costs.
    public struct LayerCost: Sendable {
        /// The layers that see the same patches.
        public let layers: [String]
        /// The length of a patch of one group.
        public let patchSize: Int
        /// How the products are added up.
        public let form: MomentForm?
        /// The memory of the sums.
        public let bytes: Int
        /// The time spent.
        public let seconds: Double

        /// A cost.
        public init(layers: [String], patchSize: Int, form: MomentForm?, bytes: Int, seconds: Double) {
            self.layers = layers
            self.patchSize = patchSize
            self.form = form
            self.bytes = bytes
            self.seconds = seconds
        }
    }
}
