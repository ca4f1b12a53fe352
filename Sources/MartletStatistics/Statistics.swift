import MartletNetworks
import MartletSafetensorsFormat
import MartletTensors

/// The moments of the layers of one network over one set of images, in memory or in a file.
public struct Statistics: Sendable {
    /// Where they come from.
    public private(set) var provenance: Provenance
    private let source: Source

    private enum Source: Sendable {
        case memory([String: LayerMoments])
        case file(SafetensorsReader, path: String)
        /// Sums that are put together as they are asked for.
        case gathered(GatheredMoments)
        /// The same layers over different images.
        case merged([Statistics])
        /// Different layers over the same images.
        case joined([Statistics])
    }

    init(provenance: Provenance, layers: [String: LayerMoments]) {
        self.provenance = provenance
        source = .memory(layers)
    }

    init(provenance: Provenance, gathered: GatheredMoments) {
        self.provenance = provenance
        source = .gathered(gathered)
    }

    /// The sum of statistics of one network over different images; layers are added up as they are asked for. Adding is
    /// associative and commutative, up to the rounding of sums in double precision.
    /// - Throws: ``StatisticsError/cannotMerge(reason:)`` for other networks, other preprocessing, other layers, or
    ///   images that are in two of them.
    public init(merging parts: [Statistics]) throws {
        provenance = try .merging(parts.map(\.provenance))
        let names = parts.first?.layerNames ?? []
        for part in parts where part.layerNames != names {
            throw StatisticsError.cannotMerge(reason: "they are of different layers")
        }
        source = .merged(parts)
    }

    /// Statistics of different layers over the same images, from as many passes over them.
    /// - Throws: ``StatisticsError/empty`` for none.
    public init(joining parts: [Statistics]) throws {
        guard let first = parts.first else { throw StatisticsError.empty }
        provenance = first.provenance
        source = .joined(parts)
    }

    /// The names of the layers, sorted.
    public var layerNames: [String] {
        switch source {
        case .memory(let layers): layers.keys.sorted()
        case .file(let reader, _):
            reader.names.filter { $0.hasSuffix(Statistics.productsSuffix) }
                .map { String($0.dropLast(Statistics.productsSuffix.count)) }.sorted()
        case .gathered(let moments): moments.names
        case .merged(let parts): parts.first?.layerNames ?? []
        case .joined(let parts): parts.flatMap(\.layerNames).sorted()
        }
    }

    /// The moments of a layer, checked to fit it. From a file, they are read anew each time.
    /// - Throws: ``StatisticsError``.
    public func moments(of layer: WeightedLayer) throws -> LayerMoments {
        let moments = try moments(named: layer.name)
        guard moments.groups == layer.groups, moments.patchSize == layer.patchSize else {
            throw StatisticsError.layerMismatch(
                name: layer.name, expected: "\(layer.groups) x \(layer.patchSize)",
                found: "\(moments.groups) x \(moments.patchSize)")
        }
        guard moments.count > 0 else { throw StatisticsError.empty }
        return moments
    }

    private func moments(named name: String) throws -> LayerMoments {
        switch source {
        case .memory(let layers):
            guard let held = layers[name] else { throw StatisticsError.missingLayer(name: name) }
            return held
        case .file(let reader, let path): return try read(name, from: reader, path: path)
        case .gathered(let moments): return try moments.moments(named: name)
        case .merged(let parts):
            guard var sum = try parts.first?.moments(named: name) else { throw StatisticsError.empty }
            for part in parts.dropFirst() { try sum.add(try part.moments(named: name)) }
            return sum
        case .joined(let parts):
            guard let part = parts.first(where: { $0.layerNames.contains(name) }) else {
                throw StatisticsError.missingLayer(name: name)
            }
            return try part.moments(named: name)
        }
    }

    /// The shapes of a layer's sums, without putting them together.
    private func shapes(named name: String) throws -> (products: Shape, sums: Shape) {
        switch source {
        case .memory(let layers):
            guard let held = layers[name] else { throw StatisticsError.missingLayer(name: name) }
            return (held.products.shape, held.sums.shape)
        case .file(let reader, _):
            guard let products = reader.shape(of: name + Statistics.productsSuffix),
                let sums = reader.shape(of: name + Statistics.sumsSuffix)
            else { throw StatisticsError.missingLayer(name: name) }
            return (products, sums)
        case .gathered(let moments): return try moments.shapes(named: name)
        case .merged(let parts), .joined(let parts):
            guard let part = parts.first(where: { $0.layerNames.contains(name) }) else {
                throw StatisticsError.missingLayer(name: name)
            }
            return try part.shapes(named: name)
        }
    }

    /// Refuses statistics of another network.
    /// - Throws: ``StatisticsError/otherNetwork(statistics:network:)``.
    public func check(against network: Network) throws { try provenance.check(against: network) }

    /// The same as those of another network, each of whose layers sees what the layer of that name saw in the old one: a
    /// ``JoinedNetwork``.
    public func transferred(to network: Network) -> Statistics {
        var result = self
        result.provenance.networkDigest = NetworkDigest.digest(of: network)
        return result
    }

    // MARK: The file

    private static let productsSuffix = ".products"
    private static let sumsSuffix = ".sums"
    private static let countSuffix = ".count"
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
        let names = layerNames
        var layout: [(name: String, elementType: ElementType, shape: Shape)] = []
        for name in names {
            let shapes = try shapes(named: name)
            layout.append((name + Statistics.productsSuffix, .float64, shapes.products))
            layout.append((name + Statistics.sumsSuffix, .float64, shapes.sums))
        }
        // Numbers of eight bytes all: the order keeps every tensor aligned.
        for name in names { layout.append((name + Statistics.countSuffix, .int64, [1])) }
        // A layer's products and sums follow each other: it is put together once, and its count kept.
        var held: (name: String, moments: LayerMoments)?
        var counts: [String: Int] = [:]
        try SafetensorsWriter.write(
            layout, metadata: provenance.metadata(format: Statistics.format), to: path
        ) { tensor in
            if tensor.hasSuffix(Statistics.countSuffix),
                let count = counts[String(tensor.dropLast(Statistics.countSuffix.count))]
            {
                return try Tensor([Int64(count)], shape: [1])
            }
            let isProducts = tensor.hasSuffix(Statistics.productsSuffix)
            let suffix = isProducts ? Statistics.productsSuffix : Statistics.sumsSuffix
            let name = String(tensor.dropLast(suffix.count))
            if held?.name != name {
                held = nil
                held = (name, try moments(named: name))
            }
            guard let moments = held?.moments else { throw StatisticsError.missingLayer(name: name) }
            counts[name] = moments.count
            return isProducts ? moments.products : moments.sums
        }
    }

    /// Opens the statistics in the file at `path`; the layers are read as they are asked for.
    /// - Throws: ``StatisticsError/notStatistics(file:reason:)``, `SafetensorsError`, `FileError`.
    public init(path: String) throws {
        let reader = try SafetensorsReader(path: path)
        provenance = try Provenance(metadata: reader.metadata, format: Statistics.format, file: path)
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
