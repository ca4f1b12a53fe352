import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Gathers the gradients at every layer while a network runs forward and backward over images, one at a time: Fisher
/// information is a mean of squares of single images' gradients.
public final class GradientGatherer {
    private let network: Network
    private let differentiable: DifferentiableNetwork
    private let source: GradientStatistics.Source
    private let draws: Int
    private let seed: UInt64
    private let firstImage: Int
    private let weighted: [WeightedLayer]
    private let products: OutputProducts
    private var layers: [String: LayerGradients] = [:]
    /// The number of images seen.
    public private(set) var images = 0

    /// A gatherer of the layers of a network.
    /// - Parameters:
    ///   - network: as ``Network/simplified(keepingHalfWeights:)`` leaves it, with one input and class scores before softmax as its first output.
    ///   - source: what is differentiated.
    ///   - draws: how often each image is gone over with other random numbers; labels need one.
    ///   - seed: of the random numbers; those of an image follow from its number.
    ///   - firstImage: the number of the first image, where others gather from those before it.
    /// - Throws: `NetworkError` for what cannot be differentiated, `TensorError` if the sums do not fit into memory.
    public init(
        network: Network, source: GradientStatistics.Source, draws: Int = 1, seed: UInt64 = 0, firstImage: Int = 0,
        pool: ThreadPool
    ) throws {
        guard network.inputs.count == 1 else {
            throw NetworkError.unsupported(
                node: network.name, reason: "statistics of a network with \(network.inputs.count) inputs")
        }
        self.network = network
        self.source = source
        self.draws = source == .labels ? 1 : max(1, draws)
        self.seed = seed
        self.firstImage = firstImage
        differentiable = try DifferentiableNetwork(network, pool: pool)
        weighted = network.weightedLayers()
        for layer in weighted {
            layers[layer.name] = try LayerGradients(outputs: layer.outputs, patchSize: layer.patchSize)
        }
        products = OutputProducts(layers: Set(weighted.map(\.name)), pool: pool)
    }

    /// Runs the network over one image `[1, C, H, W]` and adds its gradients.
    /// - Parameter label: the image's class; only ``GradientStatistics/Source/labels`` looks at it.
    /// - Throws: `NetworkError`, ``TrainingError`` for a missing label or one that is no class,
    ///   `StatisticsError.nonFinite(layer:)`.
    public func add(_ image: Tensor, label: Int?) throws {
        // The generator steps by the same constant: unmixed, neighbouring images would draw the same numbers, shifted by one.
        var mixer = SplitMix64(seed: seed &+ UInt64(firstImage + images) &* 0x9e37_79b9_7f4a_7c15)
        var random = SplitMix64(seed: mixer.next())
        for _ in 0..<draws {
            products.sums.removeAll(keepingCapacity: true)
            _ = try differentiable.differentiate([network.inputs[0].name: image], observer: products) {
                output, gradient in
                try start(output, gradient, label: label, &random)
                return 0
            }
            for layer in weighted {
                guard let sum = products.sums[layer.name] else { continue }
                guard sum.products.allSatisfy(\.isFinite) else { throw StatisticsError.nonFinite(layer: layer.name) }
                try layers[layer.name]?.add(products: sum.products, count: sum.count)
                let isTransposed = layer.kind == .fullyConnected(isTransposed: false)
                try differentiable.store.gradientTensor(of: layer.weight).withElements(of: Float.self) { gradient in
                    guard let base = gradient.baseAddress else { return }
                    try layers[layer.name]?.add(weights: base, isTransposed: isTransposed)
                }
            }
        }
        images += 1
    }

    /// The gradient of what is differentiated by the class scores.
    private func start(
        _ output: TensorView, _ gradient: MutableTensorView, label: Int?, _ random: inout SplitMix64
    ) throws {
        let classes = output.shape.elementCount
        let target: Int
        switch source {
        case .scores:
            let signs = gradient.elements(of: Float.self)
            for index in signs.indices { signs[index] = random.next() >> 63 == 0 ? 1 : -1 }
            return
        case .labels:
            guard let label else { throw TrainingError.noLabel(image: "image \(images)") }
            target = label
        case .predictions:
            // The class at which the running sum of probabilities passes a random number.
            let scores = output.elements(of: Float.self)
            let largest = scores.max() ?? 0
            let weights = scores.map { exp(Double($0 - largest)) }
            var rest = Double(random.next() >> 11) * 0x1p-53 * weights.reduce(0, +)
            var drawn = classes - 1
            for (index, weight) in weights.enumerated() {
                rest -= weight
                if rest < 0 {
                    drawn = index
                    break
                }
            }
            target = drawn
        }
        _ = try CrossEntropy().evaluate(output, targets: [.label(target)], gradient: gradient)
    }

    /// What has been gathered.
    /// - Throws: `StatisticsError.empty`.
    public func statistics(
        data: String, dataDigest: String, preprocessing: String, version: String
    ) throws -> GradientStatistics {
        if images == 0 { throw StatisticsError.empty }
        let provenance = Provenance(
            network: network.name, networkDigest: NetworkDigest.digest(of: network), data: data, dataDigest: dataDigest,
            preprocessing: preprocessing, images: images, version: version)
        return GradientStatistics(provenance: provenance, source: source, draws: draws, layers: layers)
    }
}

/// Sums `g g^T` over the places of a layer's map.
private final class OutputProducts: GradientObserver {
    /// The whole sum `[T, T]` of each layer, and the number of places.
    var sums: [String: (products: [Float], count: Int)] = [:]
    private let layers: Set<String>
    private let pool: ThreadPool

    init(layers: Set<String>, pool: ThreadPool) {
        self.layers = layers
        self.pool = pool
    }

    func wants(_ layer: String) -> Bool { layers.contains(layer) }

    func observe(_ layer: String, input: TensorView, gradient: TensorView) {
        guard gradient.shape.rank >= 2, let base = gradient.elements(of: Float.self).baseAddress else { return }
        let outputs = gradient.shape[1]
        let places = gradient.shape.elementCount / max(1, outputs)
        var products = [Float](repeating: 0, count: outputs * outputs)
        // Rows are shared out in blocks of one size, so the sums are the same for any number of threads.
        let block = 64
        products.withUnsafeMutableBufferPointer { products in
            guard let target = products.baseAddress else { return }
            pool.forEach((outputs + block - 1) / block) { index in
                let first = index * block
                BLAS.gemm(
                    transposeB: true, m: min(block, outputs - first), n: outputs, k: places, a: base + first * places,
                    lda: places, b: base, ldb: places, c: target + first * outputs, ldc: outputs)
            }
        }
        sums[layer] = (products, places)
    }
}
