import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// How much memory gathering takes, known before it begins.
public struct GatheringDemand: Sendable {
    /// The bytes that the sums of each view take, with its layers.
    public let views: [(layers: [String], bytes: Int)]
    /// The bytes that everything else takes: the network, the images, what is at work at one time.
    public let base: Int

    /// What gathering from images `[C, H, W]` takes.
    ///
    /// The network runs once, on one black image, to see how large its values are.
    /// - Throws: `NetworkError`, `InstructionSetError`.
    public init(
        network: Network, image: [Int], pool: ThreadPool, form: MomentForm? = nil,
        layers wanted: (WeightedLayer) -> Bool = { _ in true }
    ) throws {
        let gatherer = try StatisticsGatherer(network: network, pool: pool, form: form, layers: wanted)
        var shapes: [String: Shape] = [:]
        let observer = Observer(layers: Set(gatherer.gatherers.map(\.gatherer.layer.name))) { shapes[$0] = $1.shape }
        let probe = max(1, network.inputs[0].type.dimensions.first?.value ?? 1)
        let input = network.inputs[0].name
        let executor = try Executor(network: network, pool: pool, options: .showingLayers)
        _ = try executor.run(
            [input: try Tensor(zeros: try Shape([probe] + image), elementType: .float32)], observing: observer)
        let images = network.inputs[0].type.dimensions.first?.value ?? StatisticsGatherer.imagesPerStep
        var views: [(layers: [String], bytes: Int)] = []
        var (scratch, largestValue, largestMoments) = (0, 0, 0)
        for (gatherer, layers) in gatherer.gatherers {
            guard let shape = shapes[gatherer.layer.name] else { continue }
            let plan = try gatherer.plan(for: gatherer.layer.spatialExtents(of: shape))
            views.append((layers, plan.sumBytes))
            let planes = gatherer.layer.images(in: shape) * images / probe * plan.geometry.depth.output
            scratch = max(scratch, plan.scratchBytes(images: planes, workers: pool.threadCount))
            largestValue = max(largestValue, shape.elementCount * 4 * images / probe)
            let moments = try LayerMoments.shapes(groups: gatherer.layer.groups, patchSize: gatherer.layer.patchSize)
            largestMoments = max(largestMoments, moments.products.elementCount * 8)
        }
        self.views = views
        let constants = network.constants.values.reduce(0) { $0 + $1.byteCount }
        let planned = try Executor(network: network, pool: pool, options: .showingLayers).peakBytes([
            input: try Shape([images] + image)
        ])
        let loaded = try CheckedArithmetic.product([4, 4, images] + image)
        // The weights are held as they are and as the kernels want them, Winograd's form four times as large.
        base = 64 << 20 + constants * 5 + planned + scratch + largestValue + max(largestMoments, 0) + loaded
    }

    /// The bytes that gathering all layers at once takes.
    public var bytes: Int { base + views.reduce(0) { $0 + $1.bytes } }

    /// The layers of each pass over the images, so that no pass takes more than `limit` bytes.
    /// - Throws: ``StatisticsError/memory(limit:needed:)``.
    public func passes(limit: Int) throws -> [Set<String>] {
        var passes: [(layers: Set<String>, bytes: Int)] = []
        // The largest first, each where it still fits.
        for view in views.sorted(by: { ($0.bytes, $1.layers[0]) > ($1.bytes, $0.layers[0]) }) {
            guard base + view.bytes <= limit else {
                throw StatisticsError.memory(limit: limit, needed: base + view.bytes)
            }
            if let index = passes.firstIndex(where: { base + $0.bytes + view.bytes <= limit }) {
                passes[index].layers.formUnion(view.layers)
                passes[index].bytes += view.bytes
            } else {
                passes.append((Set(view.layers), view.bytes))
            }
        }
        return passes.map(\.layers)
    }
}
