import MartletNetworks
import MartletTensors

/// Somebody who wants to see what goes into the layers of a network while it runs.
///
/// A layer is a convolution, `Gemm` or `MatMul` whose second input, the weight, is a constant.
public struct Observer {
    /// The layers wanted, by name (``Network/layerNames``); `nil` for all.
    public let layers: Set<String>?
    /// Is called before each wanted layer runs with its name and its input: float32 `[images, channels, ...]`, valid
    /// only inside the call. An error ends the run.
    public let observe: (_ layer: String, _ input: TensorView) throws -> Void

    /// An observer of these layers.
    public init(
        layers: Set<String>? = nil, observe: @escaping (_ layer: String, _ input: TensorView) throws -> Void
    ) {
        self.layers = layers
        self.observe = observe
    }

    func wants(_ layer: String) -> Bool { layers?.contains(layer) ?? true }
}

extension Network {
    /// A name for each node, in order, that no other node has: its own where that is unique, else its first output's.
    public var layerNames: [String] {
        var counts: [String: Int] = [:]
        for node in nodes { counts[node.name, default: 0] += 1 }
        var taken = Set(nodes.map(\.name).filter { counts[$0] == 1 })
        return nodes.map { node in
            if !node.name.isEmpty, counts[node.name] == 1 { return node.name }
            let wish = node.outputs.compactMap { $0 }.first ?? "node"
            var name = wish
            var number = 2
            while !taken.insert(name).inserted {
                name = "\(wish).\(number)"
                number += 1
            }
            return name
        }
    }
}
