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
