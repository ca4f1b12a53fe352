import MartletNetworks
import MartletTensors

/// The digest by which statistics know their network.
public enum NetworkDigest {
    /// `fnv1a64:` and 16 hexadecimal digits over the names, kinds and weights of the layers, in order. Metadata and
    /// preprocessing do not matter to it.
    public static func digest(of network: Network) -> String {
        var digest = FNV1a()
        for layer in network.weightedLayers() {
            digest.add(layer.name)
            digest.add(layer.groups)
            guard let weight = network.constants[layer.weight] else { continue }
            for extent in weight.shape.extents { digest.add(extent) }
            weight.withUnsafeBytes { digest.add($0) }
        }
        return "fnv1a64:" + digest.text
    }
}
