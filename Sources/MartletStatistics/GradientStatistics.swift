import MartletNetworks
import MartletSafetensorsFormat
import MartletTensors

/// What the gradients at the layers of one network are over one set of images, in memory or in a file.
///
/// The sibling of ``Statistics``: those say what goes into a layer, these what the rest of the network makes of what comes
/// out of it. Sums, not means: statistics of parts of the images can be added.
public struct GradientStatistics: Sendable {
    /// What is differentiated.
    public enum Source: String, Sendable, CaseIterable, Codable {
        /// The cross-entropy with the images' labels.
        case labels
        /// The cross-entropy with labels drawn from the network's own prediction: the Fisher information proper; needs no
        /// labels.
        case predictions
        /// The class scores, each in turn, their `g g^T` added up (Gauss-Newton): by random signs `v`, for the gradient of
        /// `v . scores` has the same mean. Needs no labels.
        case scores
    }

    /// Where they come from.
    public let provenance: Provenance
    /// What was differentiated.
    public let source: Source
    /// How often each image was gone over with other random numbers.
    public let draws: Int
    private let held: [String: LayerGradients]

    /// Statistics in memory, by the layers' names.
    public init(provenance: Provenance, source: Source, draws: Int, layers: [String: LayerGradients]) {
        self.provenance = provenance
        self.source = source
        self.draws = draws
        held = layers
    }

    /// The sum of statistics of one network over different images.
    /// - Throws: ``StatisticsError/cannotMerge(reason:)`` for other networks, preprocessing, layers or sources, or images
    ///   that are in two of them.
    public init(merging parts: [GradientStatistics]) throws {
        guard let first = parts.first else { throw StatisticsError.empty }
        provenance = try .merging(parts.map(\.provenance))
        (source, draws) = (first.source, first.draws)
        var sum = first.held
        for part in parts.dropFirst() {
            guard part.source == source, part.draws == draws else {
                throw StatisticsError.cannotMerge(reason: "their gradients are of different things")
            }
            guard part.layerNames == first.layerNames else {
                throw StatisticsError.cannotMerge(reason: "they are of different layers")
            }
            for (name, layer) in part.held { try sum[name]?.add(layer) }
        }
        held = sum
    }

    /// How often the network was run forward and backward: images times draws.
    public var runs: Int {
        let (product, overflows) = max(0, provenance.images).multipliedReportingOverflow(by: max(1, draws))
        return overflows ? .max : product
    }

    /// The names of the layers, sorted.
    public var layerNames: [String] { held.keys.sorted() }

    /// The sums of a layer, checked to fit it.
    /// - Throws: ``StatisticsError``.
    public func gradients(of layer: WeightedLayer) throws -> LayerGradients {
        guard let gradients = held[layer.name] else { throw StatisticsError.missingLayer(name: layer.name) }
        guard gradients.outputs == layer.outputs, gradients.patchSize == layer.patchSize else {
            throw StatisticsError.layerMismatch(
                name: layer.name, expected: "\(layer.outputs) x \(layer.patchSize)",
                found: "\(gradients.outputs) x \(gradients.patchSize)")
        }
        guard gradients.count > 0 else { throw StatisticsError.empty }
        return gradients
    }

    /// Refuses statistics of another network.
    /// - Throws: ``StatisticsError/otherNetwork(statistics:network:)``.
    public func check(against network: Network) throws { try provenance.check(against: network) }

    // MARK: The file

    private static let productsSuffix = ".gradient_products"
    private static let squaresSuffix = ".weight_squares"
    private static let countSuffix = ".gradient_count"
    private static let format = "gradients 1"

    /// The tensors of a layer in the file, beside the provenance in its metadata:
    ///
    /// - `NAME.gradient_products`, float64 `[T (T + 1) / 2]`: the lower triangle of the sum of `g g^T`, row by row
    /// - `NAME.weight_squares`, float64 `[T, S h w]`: the sum of the squares of each image's gradient of the weights
    /// - `NAME.gradient_count`, int64 `[1]`: the number of gradients in the first sum
    /// - Throws: `FileError`, `SafetensorsError`.
    public func write(to path: String) throws {
        var tensors: [(name: String, tensor: Tensor)] = []
        for name in layerNames {
            guard let layer = held[name] else { continue }
            tensors.append((name + Self.productsSuffix, layer.products))
            tensors.append((name + Self.squaresSuffix, layer.squares))
            tensors.append((name + Self.countSuffix, try Tensor([Int64(layer.count)], shape: [1])))
        }
        var metadata = provenance.metadata(format: Self.format)
        metadata["martlet.gradient_source"] = source.rawValue
        metadata["martlet.gradient_draws"] = "\(draws)"
        let byName = Dictionary(tensors, uniquingKeysWith: { first, _ in first })
        try SafetensorsWriter.write(
            tensors.map { ($0.name, $0.tensor.elementType, $0.tensor.shape) }, metadata: metadata, to: path
        ) { name in
            guard let tensor = byName[name] else { throw StatisticsError.missingLayer(name: name) }
            return tensor
        }
    }

    /// Reads the statistics in the file at `path`.
    /// - Throws: ``StatisticsError/notStatistics(file:reason:)``, `SafetensorsError`, `FileError`.
    public init(path: String) throws {
        let reader = try SafetensorsReader(path: path)
        provenance = try Provenance(metadata: reader.metadata, format: Self.format, file: path)
        guard let source = reader.metadata["martlet.gradient_source"].flatMap(Source.init(rawValue:)),
            let draws = reader.metadata["martlet.gradient_draws"].flatMap(Int.init), draws > 0
        else { throw StatisticsError.notStatistics(file: path, reason: "it does not say what was differentiated") }
        (self.source, self.draws) = (source, draws)
        var layers: [String: LayerGradients] = [:]
        for tensor in reader.names where tensor.hasSuffix(Self.productsSuffix) {
            let name = String(tensor.dropLast(Self.productsSuffix.count))
            func refuse(_ reason: String) -> StatisticsError {
                .notStatistics(file: path, reason: "layer '\(name)' \(reason)")
            }
            guard reader.shape(of: name + Self.squaresSuffix) != nil, reader.shape(of: name + Self.countSuffix) != nil
            else { throw refuse("lacks some of its tensors") }
            let products = try reader.tensor(tensor)
            let squares = try reader.tensor(name + Self.squaresSuffix)
            let count = try reader.tensor(name + Self.countSuffix)
            guard products.elementType == .float64, squares.elementType == .float64, squares.shape.rank == 2,
                products.shape == (try LayerGradients.shapes(outputs: squares.shape[0], patchSize: 1).products)
            else { throw refuse("has tensors of shapes that do not fit each other") }
            guard count.shape == [1], let gradients = count.integers?.first, gradients >= 0 else {
                throw refuse("has no count")
            }
            layers[name] = LayerGradients(count: gradients, products: products, squares: squares)
        }
        held = layers
    }
}
