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

    private let network: Network
    private let executor: Executor
    private let accumulators: [String: MomentAccumulator]
    private let scratch = Scratch()
    /// The number of images seen.
    public private(set) var images = 0

    /// A gatherer of the layers of a network.
    ///
    /// - Parameters:
    ///   - network: as ``Network/simplified()`` leaves it, with one input.
    ///   - wanted: Which layers; all with constant weights unless told.
    /// - Throws: `NetworkError`, `TensorError` if the moments do not fit into memory.
    public init(
        network: Network, pool: ThreadPool, layers wanted: (WeightedLayer) -> Bool = { _ in true }
    ) throws {
        guard network.inputs.count == 1 else {
            throw NetworkError.unsupported(
                node: network.name, reason: "statistics of a network with \(network.inputs.count) inputs")
        }
        self.network = network
        executor = try Executor(network: network, pool: pool)
        var accumulators: [String: MomentAccumulator] = [:]
        for layer in network.weightedLayers() where wanted(layer) {
            accumulators[layer.name] = try MomentAccumulator(layer: layer)
        }
        self.accumulators = accumulators
    }

    /// The memory that the sums take, in bytes.
    public var byteCount: Int {
        accumulators.values.reduce(0) { $0 + $1.moments.products.byteCount + $1.moments.sums.byteCount }
    }

    /// Runs the network over a batch `[n, C, H, W]` and adds what its layers see.
    /// - Throws: `NetworkError`, ``StatisticsError/nonFinite(layer:)``.
    public func add(_ batch: Tensor) throws {
        let scratch = scratch
        let accumulators = accumulators
        let pool = executor.pool
        let observer = Observer(layers: Set(accumulators.keys)) { name, input in
            try accumulators[name]?.add(input, scratch: scratch, pool: pool)
        }
        _ = try executor.run([network.inputs[0].name: batch], observing: observer)
        images += batch.shape.rank > 0 ? batch.shape[0] : 1
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
        return Statistics(provenance: provenance, layers: accumulators.mapValues(\.moments))
    }
}
