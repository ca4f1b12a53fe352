import Foundation
import MartletSafetensorsFormat
import MartletTensors

// A checkpoint holds the sums themselves, not moments: a run that goes on from it ends with the same bits.
extension StatisticsGatherer {
    private static let formatKey = "martlet.format"
    private static let format = "checkpoint 1"

    /// What the file says of the sums of one view.
    private struct Entry: Codable {
        var layer: String
        var form: String
        var shape: [Int]
        var count: Int
        var earlierCount: Int?
    }

    private var state: [String: String] {
        [
            StatisticsGatherer.formatKey: StatisticsGatherer.format,
            "martlet.network_digest": NetworkDigest.digest(of: network),
            "martlet.images": "\(images)", "martlet.steps": "\(steps)", "martlet.first_half": "\(firstHalf)",
        ]
    }

    /// Writes everything that ``resume(from:purpose:)`` needs, whole or not at all.
    /// - Parameters:
    ///   - path: where to.
    ///   - purpose: what the run is about (its images, their preprocessing): a run for something else must not go on.
    /// - Throws: `FileError`, `SafetensorsError`.
    public func writeCheckpoint(to path: String, purpose: String) throws {
        var layout: [(name: String, elementType: ElementType, shape: Shape)] = []
        var tensors: [String: Tensor] = [:]
        var entries: [Entry] = []
        for (index, view) in gatherers.enumerated() {
            guard let (shape, sums) = view.gatherer.current else { continue }
            let earlier = view.gatherer.earlier
            entries.append(
                Entry(
                    layer: view.gatherer.layer.name, form: sums.plan.form.rawValue, shape: shape, count: sums.count,
                    earlierCount: earlier?.count))
            tensors["\(index).products"] = sums.products
            tensors["\(index).sums"] = sums.sums
            tensors["\(index).halves"] = sums.halves
            tensors["\(index).earlier.products"] = earlier?.products
            tensors["\(index).earlier.sums"] = earlier?.sums
        }
        // Doubles before floats: every tensor stays aligned.
        for isDouble in [true, false] {
            for (name, tensor) in tensors.sorted(by: { $0.key < $1.key })
            where (tensor.elementType == .float64) == isDouble {
                layout.append((name, tensor.elementType, tensor.shape))
            }
        }
        var metadata = state
        metadata["martlet.purpose"] = purpose
        metadata["martlet.layers"] = String(decoding: try JSONEncoder().encode(entries), as: UTF8.self)
        try SafetensorsWriter.write(layout, metadata: metadata, to: path) { name in
            guard let tensor = tensors[name] else { throw StatisticsError.missingLayer(name: name) }
            return tensor
        }
    }

    /// Goes on where a run was that wrote a checkpoint; to be called before anything is added.
    /// - Throws: ``StatisticsError/cannotResume(file:reason:)`` for another network, other layers, another purpose or a
    ///   processor with other vectors; `SafetensorsError`, `FileError`.
    public func resume(from path: String, purpose: String) throws {
        let reader = try SafetensorsReader(path: path)
        func refuse(_ reason: String) -> StatisticsError { .cannotResume(file: path, reason: reason) }
        guard reader.metadata[StatisticsGatherer.formatKey] == StatisticsGatherer.format,
            let images = reader.metadata["martlet.images"].flatMap({ Int($0) }), images > 0,
            let steps = reader.metadata["martlet.steps"].flatMap({ Int($0) }), (1...images).contains(steps),
            let firstHalf = reader.metadata["martlet.first_half"].flatMap({ Int($0) }),
            (0...images).contains(firstHalf),
            let text = reader.metadata["martlet.layers"],
            let entries = try? JSONDecoder().decode([Entry].self, from: Data(text.utf8))
        else { throw refuse("it is no checkpoint of Martlet's") }
        guard reader.metadata["martlet.network_digest"] == NetworkDigest.digest(of: network) else {
            throw refuse("it is of another network")
        }
        guard reader.metadata["martlet.purpose"] == purpose else {
            throw refuse("it is of other images, another preprocessing or other options")
        }
        guard entries.map(\.layer) == gatherers.map(\.gatherer.layer.name) else {
            throw refuse("it is of other layers")
        }
        for (index, (entry, view)) in zip(entries, gatherers).enumerated() {
            let layer = view.gatherer.layer
            var earlier: LayerMoments?
            if let count = entry.earlierCount {
                let products = try reader.tensor("\(index).earlier.products")
                let sums = try reader.tensor("\(index).earlier.sums")
                let shapes = try LayerMoments.shapes(groups: layer.groups, patchSize: layer.patchSize)
                guard products.shape == shapes.products, sums.shape == shapes.sums, products.elementType == .float64,
                    sums.elementType == .float64, count >= 0
                else { throw refuse("its sums of layer '\(layer.name)' are of another size") }
                earlier = LayerMoments(count: count, products: products, sums: sums)
            }
            guard entry.shape.allSatisfy({ (1...1 << 24).contains($0) }) else { throw refuse("it is damaged") }
            let sums = try view.gatherer.restore(earlier: earlier, shape: entry.shape, pool: executor.pool)
            guard sums.plan.form.rawValue == entry.form,
                sums.restore(
                    products: try reader.tensor("\(index).products"), sums: try reader.tensor("\(index).sums"),
                    halves: try reader.tensor("\(index).halves"), count: entry.count)
            else {
                throw refuse("its sums of layer '\(layer.name)' are of another size; was it another kind of processor?")
            }
        }
        self.images = images
        self.steps = steps
        self.firstHalf = firstHalf
    }
}
