import MartletNetworks
import MartletTensors

/// A network some of whose layers compute on bytes from end to end.
///
/// Files say so in two ways: by operators on quantised numbers, or by ordinary ones between `DequantizeLinear` and
/// `QuantizeLinear`. Either becomes the ordinary operator on byte values here, with a ``QuantizedLayer`` beside it; what does
/// not fit stays as it is and is computed in floating point.
struct QuantizedNetwork {
    var network: Network
    /// The types of all values.
    var types: [String: TensorType]
    /// What the values stand for that layers on bytes read or write.
    var quantizations: [String: ByteQuantization] = [:]
    /// The layers on bytes by their outputs.
    var layers: [String: QuantizedLayer] = [:]
    /// The products of bytes that make floats, by their outputs.
    var products: [String: QuantizedProduct] = [:]

    /// Whether a convolution on bytes (its input and output `[N, C, H, W]`) takes longer than one on floats.
    let isSlow: (_ convolution: Convolution, _ input: [Int], _ output: [Int]) -> Bool
    /// Values that dequantisation makes, and what it makes them from.
    private var dequantized: [String: (source: String, quantization: ByteQuantization)] = [:]
    private var uses: [String: Int]
    private var readers: [String: Int] = [:]
    private var producers: [String: Int] = [:]
    private var removed: Set<Int> = []
    private var names: UnusedNames
    /// The nodes so far.
    private var nodes: [Node] = []

    /// Finds the layers of a network, whose types are known and whose activations are drawn into its convolutions, that can
    /// compute on bytes; none of them if `contracts` is false, and no convolution of which `isSlow` says so.
    init(
        _ typed: TypedNetwork, contracts: Bool,
        isSlow: @escaping (_ convolution: Convolution, _ input: [Int], _ output: [Int]) -> Bool = { _, _, _ in false }
    ) {
        self.isSlow = isSlow
        network = typed.network
        types = typed.types
        uses = network.useCounts()
        names = UnusedNames(taken: Set(types.keys))
        let quantizes = network.nodes.contains { node in
            switch node.operation {
            case .quantizeLinear, .quantizedConvolution, .quantizedMatMul: true
            default: false
            }
        }
        if !contracts || !quantizes { return }
        for (index, node) in network.nodes.enumerated() {
            for case let input? in node.inputs { readers[input] = index }
            for case let output? in node.outputs { producers[output] = index }
        }
        for (index, node) in network.nodes.enumerated() where !removed.contains(index) {
            note(node)
            nodes.append(contracted(node) ?? node)
        }
        network.nodes = nodes
        // What is still read is counted next.
        network.removeDeadNodes()
        drawSumsIntoConvolutions()
        alignConcatenations()
    }

    /// Computes what constants stand for that are still dequantised, for layers on floats; the names of those made from
    /// constants among `given`.
    mutating func foldConstants(_ given: Set<String>) throws -> [String] {
        let before = Set(network.constants.keys)
        let made = network.nodes.filter { node in
            if case .dequantizeLinear = node.operation {
                return node.inputs.allSatisfy { $0.map(given.contains) ?? true }
            }
            return false
        }
        try network.foldDequantizedConstants()
        return made.compactMap { $0.outputs.first ?? nil }.filter {
            !before.contains($0) && network.constants[$0] != nil
        }
    }

    // MARK: What the nodes say

    private mutating func note(_ node: Node) {
        switch node.operation {
        case .dequantizeLinear:
            guard let source = node.input(0), network.constants[source] == nil, let type = types[source],
                let output = node.outputs.first, let output,
                let quantization = ByteQuantization(
                    scale: node.input(1), zeroPoint: node.input(2), type: type.elementType, in: network)
            else { return }
            dequantized[output] = (source, quantization)
        case .quantizeLinear:
            guard let output = node.outputs.first, let output, let type = types[output],
                let quantization = ByteQuantization(
                    scale: node.input(1), zeroPoint: node.input(2), type: type.elementType, in: network)
            else { return }
            quantizations[output] = quantization
        default: return
        }
    }

    /// The bytes that a value is made from.
    func bytes(_ value: String?) -> (source: String, quantization: ByteQuantization)? {
        value.flatMap { dequantized[$0] }
    }

    /// A quantisation after a layer, and what else of floats stands between them.
    struct Ending {
        var output: String
        var rounding: ByteRounding
        var nodes: [Int]
    }

    /// What a value of floats is rounded to, after an activation perhaps, if nobody else reads it.
    func ending(_ node: Node, activation: Activation? = nil) -> Ending? {
        guard node.outputs.count == 1, let value = node.outputs[0], uses[value] == 1, let index = readers[value] else {
            return nil
        }
        let reader = network.nodes[index]
        if case .activation(let next) = reader.operation, activation == nil {
            guard ClampBounds(next) != nil, let rest = ending(reader, activation: next) else { return nil }
            return Ending(output: rest.output, rounding: rest.rounding, nodes: [index] + rest.nodes)
        }
        guard case .quantizeLinear = reader.operation, reader.input(0) == value, let output = reader.outputs.first,
            let output,
            let type = types[output],
            let quantization = ByteQuantization(
                scale: reader.input(1), zeroPoint: reader.input(2), type: type.elementType, in: network),
            let bounds = quantization.bounds(activation)
        else { return nil }
        return Ending(
            output: output, rounding: ByteRounding(quantization: quantization, bounds: bounds), nodes: [index])
    }

    func extents(_ value: String?) -> [Int]? { value.flatMap { types[$0]?.extents } }

    /// Whether a value is an image with pixels.
    func isImage(_ value: String?) -> Bool {
        guard let extents = extents(value), extents.count == 4 else { return false }
        return !extents.contains(0)
    }

    // MARK: Contraction

    /// The node on bytes that takes the place of a node and of those around it, if there is one.
    private mutating func contracted(_ node: Node) -> Node? {
        switch node.operation {
        case .convolution(let convolution): return self.convolution(node, convolution)
        case .quantizedConvolution(let convolution): return quantizedConvolution(node, convolution)
        case .gemm(let gemm): return self.gemm(node, gemm)
        case .matMul: return matMul(node)
        case .quantizedMatMul: return quantizedMatMul(node)
        case .arithmetic(.add), .sum, .concat: return joint(node)
        case .maxPool, .averagePool, .globalAveragePool, .activation: return single(node)
        case .reshape, .flatten, .squeeze, .unsqueeze, .transpose, .identity, .dropout: return moved(node)
        default: return nil
        }
    }

    /// Puts a layer on bytes in the place of a node of floats.
    mutating func layer(
        _ node: Node, inputs: [String?], sources: [(source: String, quantization: ByteQuantization)],
        end: Ending, weights: ByteWeights? = nil, bias: ByteBias? = nil
    ) -> Node {
        removed.formUnion(end.nodes)
        return layer(
            node, inputs: inputs, sources: sources, output: end.output, rounding: end.rounding, weights: weights,
            bias: bias)
    }

    mutating func layer(
        _ node: Node, inputs: [String?], sources: [(source: String, quantization: ByteQuantization)],
        output: String, rounding: ByteRounding, weights: ByteWeights? = nil, bias: ByteBias? = nil
    ) -> Node {
        for (source, quantization) in sources { quantizations[source] = quantization }
        quantizations[output] = rounding.quantization
        layers[output] = QuantizedLayer(result: rounding, weights: weights, bias: bias)
        return Node(name: node.name, operation: node.operation, inputs: inputs, outputs: [output])
    }

    /// An operation that moves numbers without looking at them can move bytes.
    private mutating func moved(_ node: Node) -> Node? {
        guard let x = bytes(node.input(0)), let end = ending(node), end.nodes.count == 1,
            end.rounding.quantization == x.quantization
        else { return nil }
        removed.formUnion(end.nodes)
        quantizations[end.output] = x.quantization
        return Node(
            name: node.name, operation: node.operation, inputs: [x.source] + node.inputs.dropFirst(),
            outputs: [end.output])
    }

    /// The bytes that a value is made from, moved as the value was after it was made from them.
    mutating func movedBytes(_ value: String?) -> (source: String, quantization: ByteQuantization)? {
        if let found = bytes(value) { return found }
        guard let value, let index = producers[value], network.nodes[index].operation.keepsBytes,
            network.nodes[index].outputs.count == 1, let x = bytes(network.nodes[index].input(0)),
            let type = types[value]
        else { return nil }
        let node = network.nodes[index]
        let name = newValue("\(value).bytes", types[x.source]?.elementType ?? .uint8, type.dimensions)
        quantizations[name] = x.quantization
        append(
            Node(
                name: node.name, operation: node.operation, inputs: [x.source] + node.inputs.dropFirst(),
                outputs: [name]))
        return (name, x.quantization)
    }

    /// A name that no value has, for one of this type.
    mutating func newValue(_ wish: String, _ elementType: ElementType, _ dimensions: [Extent]) -> String {
        let name = names.take(wish)
        types[name] = TensorType(elementType, dimensions)
        return name
    }

    /// Puts a node before the one that is looked at.
    mutating func append(_ node: Node) { nodes.append(node) }

    /// The node that makes a value of the network as it was.
    func producer(of value: String) -> Node? { producers[value].map { network.nodes[$0] } }
}
