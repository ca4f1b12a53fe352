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
    }
}
