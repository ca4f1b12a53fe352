import MartletTensors

/// The walk through a network that infers types and computes what is known in advance.
struct Folding {
    private var network: Network
    private let inputTypes: [String: TensorType]
    private let inputValues: [String: Tensor]
    private var known: [String: ValueKnowledge] = [:]
    /// Names for new constants.
    private var names = UnusedNames(taken: [])
    /// How many elements may still be computed in advance; the rest is left to be computed when the network runs, lest
    /// a small file becomes a large network.
    private var elementsLeft = 1 << 22
    /// Weights that are left in half precision, by the casts' results.
    private var halfWeights: [String: String] = [:]
    /// Nodes with more inputs and outputs are left too.
    private static let mostOperands = 64

    init(network: Network, inputTypes: [String: TensorType], inputValues: [String: Tensor]) {
        self.network = network
        self.inputTypes = inputTypes
        self.inputValues = inputValues
    }

    mutating func run() throws -> TypedNetwork {
        names = UnusedNames(taken: network.valueNames)
        halfWeights = network.halfWeights()
        for (name, tensor) in network.constants {
            known[name] = ValueKnowledge(tensor: tensor)
            // Weights that are cast, transposed and reshaped first are copied a few times.
            elementsLeft += 4 * tensor.shape.elementCount
        }
        for input in network.inputs {
            known[input.name] =
                inputValues[input.name].map(ValueKnowledge.init(tensor:))
                ?? ValueKnowledge(type: inputTypes[input.name] ?? input.type)
            if let defect = known[input.name]?.type.defect {
                throw NetworkError.invalidNode(node: "of input '\(input.name)'", reason: defect)
            }
        }
        var kept: [Node] = []
        for node in network.nodes {
            do {
                if let node = try fold(node) { kept.append(node) }
            } catch let error as TensorError {
                throw NetworkError.invalidNode(node: node.label, reason: error.description)
            }
        }
        network.nodes = kept
        network.removeDeadNodes()
        return TypedNetwork(network: network, types: known.mapValues(\.type))
    }

    /// The node as it is still needed, or `nil` if all its outputs became constants.
    private mutating func fold(_ original: Node) throws -> Node? {
        var node = original
        let inference = TypeInference(node: node, inputs: node.inputs.map { $0.flatMap { known[$0] } })
        let types = try inference.outputTypes()
        if node.outputs.count > types.count {
            throw NetworkError.invalidNode(node: node.label, reason: "it has \(node.outputs.count) outputs")
        }
        for type in types {
            if let defect = type.defect { throw inference.invalid("its output is \(type): \(defect)") }
        }
        if let results = try evaluated(inference, types: types) {
            for (output, tensor) in zip(node.outputs, results) {
                guard let output else { continue }
                known[output] = ValueKnowledge(tensor: tensor)
                network.constants[output] = tensor
            }
            return nil
        }
        rewriteShape(of: &node, inference)
        let entries = inference.outputEntries()
        for (index, output) in node.outputs.enumerated() {
            guard let output else { continue }
            known[output] = ValueKnowledge(type: types[index], entries: index == 0 ? entries : nil)
        }
        guard let output = node.outputs.first, let output, let entries, node.outputs.count == 1 else { return node }
        let numbers = entries.compactMap(\.value)
        guard numbers.count == entries.count, let shape = try types[0].shape(),
            shape.elementCount == numbers.count, types[0].elementType == .int64
        else { return node }
        let tensor = try Tensor(numbers.map { Int64($0) }, shape: shape)
        known[output] = ValueKnowledge(tensor: tensor)
        network.constants[output] = tensor
        return nil
    }

    /// The outputs of a node whose inputs are all known, if it is one that is computed in advance.
    private mutating func evaluated(_ inference: TypeInference, types: [TensorType]) throws -> [Tensor]? {
        let node = inference.node
        if node.inputs.count + node.outputs.count > Folding.mostOperands { return nil }
        // A shape is in the type: `outputEntries` has it, without the elements.
        if case .shape = node.operation { return nil }
        // Quantized weights stay what they are: see `foldDequantizedConstants`.
        if case .dequantizeLinear = node.operation { return nil }
        if let output = node.outputs.first, let output, halfWeights[output] != nil { return nil }
        var inputs: [Tensor?] = []
        for (index, name) in node.inputs.enumerated() {
            guard name != nil else {
                inputs.append(nil)
                continue
            }
            guard let tensor = inference.inputs[index]?.tensor else { return nil }
            inputs.append(tensor)
        }
        var outputs: [Tensor] = []
        var elementCount = 0
        for type in types.prefix(node.outputs.count) {
            guard let shape = try type.shape() else { return nil }
            elementCount = try CheckedArithmetic.sum([elementCount, shape.elementCount])
            if elementCount > elementsLeft { return nil }
            outputs.append(try Tensor(zeros: shape, elementType: type.elementType))
        }
        guard try node.evaluate(inputs, into: &outputs) else { return nil }
        elementsLeft -= elementCount
        return outputs
    }

    /// Replaces the computed shape of a `reshape` or `expand` by a constant that means the same for every size.
    private mutating func rewriteShape(of node: inout Node, _ inference: TypeInference) {
        guard let input = inference.inputs.first??.type, inference.inputs.count > 1,
            let shape = inference.inputs[1], shape.tensor == nil, let entries = shape.entries
        else { return }
        var numbers: [Int64] = []
        switch node.operation {
        case .reshape(let allowsZero):
            if allowsZero, entries.contains(.fixed(0)) { return }
            for (axis, entry) in entries.enumerated() {
                if case .fixed(let value) = entry {
                    numbers.append(Int64(value))
                } else if case .symbol = entry, axis < input.rank, input.dimensions[axis] == entry {
                    numbers.append(0)
                } else {
                    numbers.append(-1)
                }
            }
            if numbers.filter({ $0 == -1 }).count > 1 { return }
            node.operation = .reshape(allowsZero: false)
        case .expand:
            for (axis, entry) in entries.enumerated() {
                let own = axis - (entries.count - input.rank)
                if case .fixed(let value) = entry {
                    numbers.append(Int64(value))
                } else if case .symbol = entry, own >= 0, input.dimensions[own] == entry {
                    numbers.append(1)
                } else {
                    return
                }
            }
        default: return
        }
        guard let vectorShape = try? Shape([numbers.count]), let tensor = try? Tensor(numbers, shape: vectorShape)
        else { return }
        let name = names.take("\(node.outputs.first.flatMap { $0 } ?? node.name).shape")
        network.constants[name] = tensor
        known[name] = ValueKnowledge(tensor: tensor)
        node.inputs[1] = name
    }
}

extension Node {
    /// Computes the outputs of a node in advance; `false` if it is not of the kind that is.
    func evaluate(_ inputs: [Tensor?], into outputs: inout [Tensor]) throws -> Bool {
        var views: [TensorView?] = []
        var targets: [MutableTensorView?] = []
        // The recursion holds every tensor's memory while the innermost call runs.
        func withInputs(_ index: Int, _ outputs: inout [Tensor]) throws -> Bool {
            if index == inputs.count { return try withOutputs(0, &outputs) }
            guard let tensor = inputs[index] else {
                views.append(nil)
                return try withInputs(index + 1, &outputs)
            }
            return try tensor.withView { view in
                views.append(view)
                return try withInputs(index + 1, &outputs)
            }
        }
        func withOutputs(_ index: Int, _ outputs: inout [Tensor]) throws -> Bool {
            if index == outputs.count { return try operation.evaluate(inputs: views, outputs: targets, node: label) }
            // Taken out while its view lives, so that the array can be passed on.
            var tensor = outputs[index]
            outputs[index] = try Tensor(zeros: [0], elementType: tensor.elementType)
            defer { outputs[index] = tensor }
            return try tensor.withMutableView { view in
                targets.append(view)
                return try withOutputs(index + 1, &outputs)
            }
        }
        return try withInputs(0, &outputs)
    }
}

extension Network {
    /// The names of all values.
    public var valueNames: Set<String> {
        var names = Set(constants.keys)
        for input in inputs { names.insert(input.name) }
        for node in nodes { for case let output? in node.outputs { names.insert(output) } }
        return names
    }
}
