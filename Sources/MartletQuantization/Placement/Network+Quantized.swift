import MartletNetworks
import MartletTensors

extension Network {
    /// The network with QuantizeLinear and DequantizeLinear around its integer operations.
    ///
    /// Integers are called `x1`, `x2`, ... where they are activations, `w1` where they are the weight of a layer; `x1.scale` is
    /// their scale and `x1.real` what they stand for. An output of the network keeps its name for that. A bias `b1` is
    /// written in floating point: a runtime on integers rounds it to steps of input scale times weight scale.
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
    private var unused: UnusedNames
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
    private var zeroPoints: [UInt8: String] = [:]
    private var layerCount = 0
    private var valueCount = 0

    init(_ network: Network) {
        self.network = network
        unused = UnusedNames(taken: network.valueNames)
    }

    private mutating func constant(_ wish: String, _ tensor: Tensor) -> String {
        let name = unused.take(wish)
        network.constants[name] = tensor
        return name
    }

    /// Puts a layer's weight in integers before it. New nodes have no names, symmetric weights no zero points, and a bias
    /// no scale, which would take as many bytes again: in a small network's file they would be a tenth of the whole.
    mutating func replace(_ quantized: QuantizedLayer) throws {
        layerCount += 1
        let index = quantized.layer.nodeIndex
        let node = network.nodes[index]
        let (layer, weight) = (quantized.layer, quantized.weight)
        let scales = try Tensor(weight.scales, shape: Shape([layer.outputs]))
        let weightName = unused.take("w\(layerCount).real")
        before[index, default: []].append(
            Node(
                name: "", operation: .dequantizeLinear(axis: weight.axis),
                inputs: [
                    constant("w\(layerCount)", weight.integers), constant("w\(layerCount).scale", scales),
                ], outputs: [weightName]))
        network.nodes[index].inputs[1] = weightName
        if let bias = quantized.bias {
            let name = constant("b\(layerCount)", try Tensor(bias, shape: Shape([layer.outputs])))
            network.nodes[index].inputs = [node.inputs[0], weightName, name]
        }
    }

    /// The constant of a zero point, one for all values that have the same.
    private mutating func zeroPoint(_ value: UInt8) throws -> String {
        if let known = zeroPoints[value] { return known }
        let name = constant("zero.\(value)", try Tensor([value], shape: []))
        zeroPoints[value] = name
        return name
    }

    /// Quantizes a value with the scale called `group`.
    mutating func quantize(_ value: String, as group: String, _ parameters: AffineParameters) throws {
        valueCount += 1
        let names: (scale: String, zeroPoint: String)
        if let known = scales[group] {
            names = known
        } else {
            names = (
                constant("x\(valueCount).scale", try Tensor([parameters.scale], shape: [])),
                try zeroPoint(parameters.zeroPoint)
            )
            scales[group] = names
        }
        let quantized = unused.take("x\(valueCount)")
        var (source, target) = (value, value)
        if network.outputs.contains(where: { $0.name == value }) {
            source = unused.take("\(value).exact")
            produced[value] = source
        } else {
            target = unused.take("x\(valueCount).real")
            renamed[value] = target
        }
        after[value, default: []] += [
            Node(
                name: "", operation: .quantizeLinear(axis: 1, type: .uint8),
                inputs: [source, names.scale, names.zeroPoint], outputs: [quantized]),
            Node(
                name: "", operation: .dequantizeLinear(axis: 1), inputs: [quantized, names.scale, names.zeroPoint],
                outputs: [target]),
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
