import Foundation
import MartletNetworks
import MartletTensors

/// Where statistics come from: enough to refuse them for another network and to gather them again.
public struct Provenance: Hashable, Sendable {
    /// The name of the network.
    public var network: String
    /// The digest of its layers and weights (``NetworkDigest``).
    public var networkDigest: String
    /// What the images are, in words.
    public var data: String
    /// The digest of the images.
    public var dataDigest: String
    /// The preprocessing as JSON.
    public var preprocessing: String
    /// The number of images.
    public var images: Int
    /// The version of Martlet.
    public var version: String
    /// What was gathered by itself and merged, sorted; one part where nothing was merged.
    public var parts: [Part]

    /// One run over some images.
    public struct Part: Hashable, Codable, Sendable, Comparable {
        /// What the images are, in words.
        public var data: String
        /// The digest of the images.
        public var dataDigest: String
        /// The number of images.
        public var images: Int

        /// A part.
        public init(data: String, dataDigest: String, images: Int) {
            self.data = data
            self.dataDigest = dataDigest
            self.images = images
        }

        public static func < (a: Part, b: Part) -> Bool {
            (a.dataDigest, a.data, a.images) < (b.dataDigest, b.data, b.images)
        }
    }

    /// A statement of origin.
    public init(
        network: String, networkDigest: String, data: String, dataDigest: String, preprocessing: String, images: Int,
        version: String
    ) {
        self.network = network
        self.networkDigest = networkDigest
        self.data = data
        self.dataDigest = dataDigest
        self.preprocessing = preprocessing
        self.images = images
        self.version = version
        parts = [Part(data: data, dataDigest: dataDigest, images: images)]
    }

    /// The origin of sums that were added up, whatever the order.
    /// - Throws: ``StatisticsError/cannotMerge(reason:)`` for another network, another preprocessing, or images that are
    ///   in both.
    public static func merging(_ all: [Provenance]) throws -> Provenance {
        guard var result = all.first else { throw StatisticsError.empty }
        for other in all.dropFirst() {
            if other.networkDigest != result.networkDigest {
                throw StatisticsError.cannotMerge(
                    reason: "they are of different networks: \(result.network) (\(result.networkDigest)) and "
                        + "\(other.network) (\(other.networkDigest))")
            }
            if other.preprocessing != result.preprocessing {
                throw StatisticsError.cannotMerge(
                    reason: "the images were prepared differently: \(result.preprocessing) and \(other.preprocessing)")
            }
            result.version = max(result.version, other.version)
        }
        result.parts = all.flatMap(\.parts).sorted()
        for (part, next) in zip(result.parts, result.parts.dropFirst()) where part.dataDigest == next.dataDigest {
            throw StatisticsError.cannotMerge(reason: "the same images are in two of them: \(next.data)")
        }
        if result.parts.count > 1 {
            var digest = FNV1a()
            for part in result.parts { digest.add(part.dataDigest) }
            result.dataDigest = "fnv1a64:" + digest.text
            result.data = "\(result.parts.count) parts: " + result.parts.map(\.data).sorted().joined(separator: "; ")
        }
        let images = try? CheckedArithmetic.sum(result.parts.map { max(0, $0.images) })
        guard let images else { throw StatisticsError.cannotMerge(reason: "their images are too many to count") }
        result.images = images
        return result
    }
}

// MARK: In a file

extension Provenance {
    private static let formatKey = "martlet.format"

    /// What a file of statistics says about them; `format` is its kind.
    func metadata(format: String) -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let parts = (try? encoder.encode(parts)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
        return [
            Provenance.formatKey: format, "martlet.version": version, "martlet.network": network,
            "martlet.network_digest": networkDigest, "martlet.data": data, "martlet.data_digest": dataDigest,
            "martlet.preprocessing": preprocessing, "martlet.images": "\(images)", "martlet.parts": parts,
        ]
    }

    /// What a file of statistics says.
    /// - Throws: ``StatisticsError/notStatistics(file:reason:)`` if it is not of this format.
    init(metadata: [String: String], format: String, file: String) throws {
        func text(_ key: String) throws -> String {
            guard let value = metadata["martlet." + key] else {
                throw StatisticsError.notStatistics(file: file, reason: "its metadata lacks 'martlet.\(key)'")
            }
            return value
        }
        guard metadata[Provenance.formatKey] == format else {
            throw StatisticsError.notStatistics(
                file: file, reason: "'\(Provenance.formatKey)' in its metadata is not '\(format)'")
        }
        guard let images = Int(try text("images")) else {
            throw StatisticsError.notStatistics(file: file, reason: "its number of images is none")
        }
        self.init(
            network: try text("network"), networkDigest: try text("network_digest"), data: try text("data"),
            dataDigest: try text("data_digest"), preprocessing: try text("preprocessing"), images: images,
            version: try text("version"))
        // Files from before there was merging have one part.
        if let list = metadata["martlet.parts"] {
            guard let parts = try? JSONDecoder().decode([Part].self, from: Data(list.utf8)), !parts.isEmpty else {
                throw StatisticsError.notStatistics(file: file, reason: "its list of parts is none")
            }
            self.parts = parts
        }
    }

    /// Refuses statistics of another network.
    /// - Throws: ``StatisticsError/otherNetwork(statistics:network:)``.
    func check(against network: Network) throws {
        let digest = NetworkDigest.digest(of: network)
        guard digest == networkDigest else {
            throw StatisticsError.otherNetwork(
                statistics: "\(self.network) (\(networkDigest))", network: "\(network.name) (\(digest))")
        }
    }
}
