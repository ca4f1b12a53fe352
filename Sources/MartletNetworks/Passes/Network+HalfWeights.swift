import MartletTensors

extension Network {
    /// Weights held in half precision: constants of float16 that nothing reads but a cast to float32, whose result nothing
    /// reads but convolutions of one group and fully connected layers, as their weights. Such casts stay when constants are
    /// folded: a runtime can widen a weight as it reads it. Depthwise kernels are too few numbers for it.
    ///
    /// - Returns: The names of the constants, by the name of the cast's result.
    public func halfWeights() -> [String: String] {
        var halves: [String: String] = [:]
        let uses = useCounts()
        for node in nodes {
            guard case .cast(to: .float32) = node.operation, let input = node.input(0),
                let tensor = constants[input], tensor.elementType == .float16, tensor.shape.rank >= 2,
                uses[input] == 1, node.outputs.count == 1, let output = node.outputs[0]
            else { continue }
            halves[output] = input
        }
        if halves.isEmpty { return [:] }
        // One that is read in another way too is widened for that reader: then for all.
        for output in outputs { halves[output.name] = nil }
        for node in nodes {
            for (index, input) in node.inputs.enumerated() where index != 1 || !node.operation.readsManyWeights {
                if let input { halves[input] = nil }
            }
        }
        return halves
    }

    /// Puts a cast to float32 behind weights that layers in half precision read as they are: what ``halfWeights()`` finds.
    mutating func castHalfWeights() {
        let uses = useCounts()
        var names = UnusedNames(taken: valueNames)
        var casts: [Node] = []
        for index in nodes.indices where nodes[index].operation.readsRowsOfWeights {
            guard let weight = nodes[index].input(1), let tensor = constants[weight], tensor.elementType == .float16,
                tensor.shape.rank >= 2, uses[weight] == 1
            else { continue }
            let wide = names.take("\(weight).wide")
            nodes[index].inputs[1] = wide
            casts.append(Node(name: wide, operation: .cast(to: .float32), inputs: [weight], outputs: [wide]))
        }
        nodes = casts + nodes
    }

    /// Lets layers read weights held in half precision as they are, for a runtime that can; the casts are gone then.
    ///
    /// - Parameter types: Those of the network's values; the weights keep the type of what they stand for.
    /// - Returns: The names of the weights in half precision.
    public mutating func readHalfWeights(types: inout [String: TensorType]) -> Set<String> {
        let halves = halfWeights()
        if halves.isEmpty { return [] }
        nodes.removeAll { node in node.outputs.contains { $0.map { halves[$0] != nil } ?? false } }
        for index in nodes.indices {
            guard let weight = nodes[index].input(1), let half = halves[weight] else { continue }
            nodes[index].inputs[1] = half
        }
        for (weight, half) in halves { types[half] = types[weight] }
        return Set(halves.values)
    }
}

extension Operator {
    /// Whether it is a layer whose weights are rows, one for each output.
    fileprivate var readsRowsOfWeights: Bool {
        switch self {
        case .convolution: true
        case .gemm(let gemm): gemm.transposesB && !gemm.transposesA
        default: false
        }
    }

    /// Whether an output of it has weights for all inputs.
    fileprivate var readsManyWeights: Bool {
        if case .convolution(let convolution) = self { return convolution.groups == 1 }
        return readsRowsOfWeights
    }
}
