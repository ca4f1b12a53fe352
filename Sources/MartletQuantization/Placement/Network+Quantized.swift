import MartletNetworks
import MartletTensors

extension Network {
    /// The network with QuantizeLinear and DequantizeLinear around its integer operations.
    ///
    /// A quantized value `v` becomes `v.quantized`, and `v.dequantized` for all who read it. An output of the network keeps
    /// its name for what comes back from quantization.
    /// - Parameters:
    ///   - placement: which values.
    ///   - parameters: the scale of each value that gives a name to a scale.
    ///   - layers: the layers with integer weights.
    func quantized(
        _ placement: Placement, parameters: [String: AffineParameters], layers: [QuantizedLayer]
    ) throws -> Network {
        var builder = QuantizedNetworkBuilder(self)
        for layer in layers { try builder.replace(layer) }
        for value in placement.values {
            let group = placement.representative(of: value)
            if let parameters = parameters[group] { try builder.quantize(value, as: group, parameters) }
        }
        return try builder.finished()
    }
}

/// Rewrites a network for integers.
private struct QuantizedNetworkBuilder {
    private var network: Network
    private var taken: Set<String>
    /// Nodes to put in front of the node at an index.
    private var before: [Int: [Node]] = [:]
    /// Nodes to put behind the producer of a value.
    private var after: [String: [Node]] = [:]
    /// What a value is called for those who read it.
    private var renamed: [String: String] = [:]
    /// What the producer of a value calls it.
    private var produced: [String: String] = [:]
    /// The constants of each scale.
    private var scales: [String: (scale: String, zeroPoint: String)] = [:]

    init(_ network: Network) {
        self.network = network
        taken = Set(network.constants.keys).union(network.inputs.map(\.name))
        for node in network.nodes { for case let output? in node.outputs { taken.insert(output) } }
    }

    private mutating func take(_ wish: String) -> String {
        let name = network.unusedName(wish, among: taken)
        taken.insert(name)
        return name
    }

    private mutating func constant(_ wish: String, _ tensor: Tensor) -> String {
        let name = take(wish)
        network.constants[name] = tensor
        return name
    }

    /// Puts a layer's weight and bias in integers before it.
    mutating func replace(_ quantized: QuantizedLayer) throws {
        let index = quantized.layer.nodeIndex
        let node = network.nodes[index]
        let (layer, weight) = (quantized.layer, quantized.weight)
        let scales = try Tensor(weight.scales, shape: Shape([layer.outputs]))
        let zeros = try Tensor([Int8](repeating: 0, count: layer.outputs), shape: Shape([layer.outputs]))
        let weightName = take("\(layer.weight).dequantized")
        var nodes = [
            Node(
                name: weightName, operation: .dequantizeLinear(axis: weight.axis),
                inputs: [
                    constant("\(layer.weight).quantized", weight.integers), constant("\(layer.weight).scale", scales),
                    constant("\(layer.weight).zero_point", zeros),
                ], outputs: [weightName])
        ]
        network.nodes[index].inputs[1] = weightName
        if let bias = quantized.integerBias {
            let own = layer.bias ?? "\(layer.weight).bias"
            let name = take("\(own).dequantized")
            let factors = weight.scales.map { $0 * quantized.inputScale }
            nodes.append(
                Node(
                    name: name, operation: .dequantizeLinear(axis: 0),
                    inputs: [
                        constant("\(own).quantized", try Tensor(bias, shape: Shape([layer.outputs]))),
                        constant("\(own).scale", try Tensor(factors, shape: Shape([layer.outputs]))),
                    ], outputs: [name]))
            network.nodes[index].inputs = [node.inputs[0], weightName, name]
        }
        before[index, default: []] += nodes
    }

    /// Quantizes a value with the scale called `group`.
    mutating func quantize(_ value: String, as group: String, _ parameters: AffineParameters) throws {
        let names: (scale: String, zeroPoint: String)
        if let known = scales[group] {
            names = known
        } else {
            names = (
                constant("\(group).scale", try Tensor([parameters.scale], shape: [])),
                constant("\(group).zero_point", try Tensor([parameters.zeroPoint], shape: []))
            )
            scales[group] = names
        }
        let quantized = take("\(value).quantized")
        var (source, target) = (value, value)
        if network.outputs.contains(where: { $0.name == value }) {
            source = take("\(value).exact")
            produced[value] = source
        } else {
            target = take("\(value).dequantized")
            renamed[value] = target
        }
        after[value, default: []] += [
            Node(
                name: quantized, operation: .quantizeLinear(axis: 0, type: .uint8),
                inputs: [source, names.scale, names.zeroPoint], outputs: [quantized]),
            Node(
                name: target == value ? take("\(value).back") : target, operation: .dequantizeLinear(axis: 0),
                inputs: [quantized, names.scale, names.zeroPoint], outputs: [target]),
        ]
    }

    mutating func finished() throws -> Network {
        var nodes = network.inputs.flatMap { after[$0.name] ?? [] }
        for (index, original) in network.nodes.enumerated() {
            var node = original
            node.inputs = node.inputs.map { $0.map { renamed[$0] ?? $0 } }
            nodes += before[index] ?? []
            node.outputs = node.outputs.map { $0.map { produced[$0] ?? $0 } }
            nodes.append(node)
            for case let output? in original.outputs { nodes += after[output] ?? [] }
        }
        network.nodes = nodes
        network.removeDeadNodes()
        return try network.validated()
    }
}
