import MartletNetworks
import MartletSafetensorsFormat
import MartletTensors

/// The moments of the layers of one network over one set of images, in memory or in a file.
public struct Statistics: Sendable {
    /// Where they come from.
    public let provenance: Provenance
    private let source: Source

    private enum Source: Sendable {
        case memory([String: LayerMoments])
        case file(SafetensorsReader, path: String)
    }

    init(provenance: Provenance, layers: [String: LayerMoments]) {
        self.provenance = provenance
        source = .memory(layers)
    }

    /// The names of the layers, sorted.
    public var layerNames: [String] {
        switch source {
        case .memory(let layers): layers.keys.sorted()
        case .file(let reader, _):
            reader.names.filter { $0.hasSuffix(Statistics.productsSuffix) }
                .map { String($0.dropLast(Statistics.productsSuffix.count)) }
        }
    }

    /// The moments of a layer, checked to fit it. From a file, they are read anew each time.
    /// - Throws: ``StatisticsError``.
    public func moments(of layer: WeightedLayer) throws -> LayerMoments {
        let moments: LayerMoments
        switch source {
        case .memory(let layers):
            guard let held = layers[layer.name] else { throw StatisticsError.missingLayer(name: layer.name) }
            moments = held
        case .file(let reader, let path):
            moments = try read(layer.name, from: reader, path: path)
        }
        guard moments.groups == layer.groups, moments.patchSize == layer.patchSize else {
            throw StatisticsError.layerMismatch(
                name: layer.name, expected: "\(layer.groups) x \(layer.patchSize)",
                found: "\(moments.groups) x \(moments.patchSize)")
        }
        guard moments.count > 0 else { throw StatisticsError.empty }
        return moments
    }

    /// Refuses statistics of another network.
    /// - Throws: ``StatisticsError/otherNetwork(statistics:network:)``.
    public func check(against network: Network) throws {
        let digest = NetworkDigest.digest(of: network)
        guard digest == provenance.networkDigest else {
            throw StatisticsError.otherNetwork(
                statistics: "\(provenance.network) (\(provenance.networkDigest))",
                network: "\(network.name) (\(digest))")
        }
    }

    // MARK: The file

    private static let productsSuffix = ".products"
    private static let sumsSuffix = ".sums"
    private static let countSuffix = ".count"
    private static let formatKey = "martlet.format"
    private static let format = "statistics 1"

    /// The tensors of a layer in the file, with what the provenance keys hold beside them:
    ///
    /// - `NAME.products`, float64 `[groups, D (D + 1) / 2]`: the lower triangle of the sum of `u u^T`, row by row
    /// - `NAME.sums`, float64 `[groups, D]`: the sum of `u`
    /// - `NAME.count`, int64 `[1]`: the number of patches
    ///
    /// Sums, not means: files of parts of the data can be added.
    /// - Throws: `FileError`, ``StatisticsError``.
    public func write(to path: String) throws {
        guard case .memory(let layers) = source else {
            throw StatisticsError.notStatistics(file: path, reason: "they are in a file already")
        }
        var layout: [(name: String, elementType: ElementType, shape: Shape)] = []
        for (name, moments) in layers.sorted(by: { $0.key < $1.key }) {
            layout.append((name + Statistics.productsSuffix, .float64, moments.products.shape))
            layout.append((name + Statistics.sumsSuffix, .float64, moments.sums.shape))
        }
        // Numbers of eight bytes all: the order keeps every tensor aligned.
        for name in layers.keys.sorted() { layout.append((name + Statistics.countSuffix, .int64, [1])) }
        try SafetensorsWriter.write(layout, metadata: metadata, to: path) { name in
            for (suffix, tensor) in Statistics.parts {
                guard name.hasSuffix(suffix), let moments = layers[String(name.dropLast(suffix.count))] else {
                    continue
                }
                return try tensor(moments)
            }
            throw StatisticsError.missingLayer(name: name)
        }
    }

    private static let parts: [(String, @Sendable (LayerMoments) throws -> Tensor)] = [
        (productsSuffix, { $0.products }), (sumsSuffix, { $0.sums }),
        (countSuffix, { try Tensor([Int64($0.count)], shape: [1]) }),
    ]

    private var metadata: [String: String] {
        [
            Statistics.formatKey: Statistics.format, "martlet.version": provenance.version,
            "martlet.network": provenance.network, "martlet.network_digest": provenance.networkDigest,
            "martlet.data": provenance.data, "martlet.data_digest": provenance.dataDigest,
            "martlet.preprocessing": provenance.preprocessing, "martlet.images": "\(provenance.images)",
        ]
    }

    /// Opens the statistics in the file at `path`; the layers are read as they are asked for.
    /// - Throws: ``StatisticsError/notStatistics(file:reason:)``, `SafetensorsError`, `FileError`.
    public init(path: String) throws {
        let reader = try SafetensorsReader(path: path)
        func text(_ key: String) throws -> String {
            guard let value = reader.metadata["martlet." + key] else {
                throw StatisticsError.notStatistics(file: path, reason: "its metadata lacks 'martlet.\(key)'")
            }
            return value
        }
        guard reader.metadata[Statistics.formatKey] == Statistics.format else {
            throw StatisticsError.notStatistics(file: path, reason: "its metadata lacks '\(Statistics.formatKey)'")
        }
        guard let images = Int(try text("images")) else {
            throw StatisticsError.notStatistics(file: path, reason: "its number of images is none")
        }
        provenance = Provenance(
            network: try text("network"), networkDigest: try text("network_digest"), data: try text("data"),
            dataDigest: try text("data_digest"), preprocessing: try text("preprocessing"), images: images,
            version: try text("version"))
        source = .file(reader, path: path)
    }

    private func read(_ name: String, from reader: SafetensorsReader, path: String) throws -> LayerMoments {
        guard reader.shape(of: name + Statistics.productsSuffix) != nil else {
            throw StatisticsError.missingLayer(name: name)
        }
        let products = try reader.tensor(name + Statistics.productsSuffix)
        let sums = try reader.tensor(name + Statistics.sumsSuffix)
        let count = try reader.tensor(name + Statistics.countSuffix)
        func refuse(_ reason: String) -> StatisticsError {
            .notStatistics(file: path, reason: "layer '\(name)' \(reason)")
        }
        guard products.elementType == .float64, sums.elementType == .float64, sums.shape.rank == 2,
            products.shape.rank == 2, products.shape[0] == sums.shape[0],
            products.shape[1] == (try CheckedArithmetic.product([sums.shape[1], sums.shape[1] + 1])) / 2
        else { throw refuse("has tensors of shapes that do not fit each other") }
        guard count.shape == [1], let patches = count.integers?.first, patches >= 0 else {
            throw refuse("has no count")
        }
        return LayerMoments(count: patches, products: products, sums: sums)
    }
}
