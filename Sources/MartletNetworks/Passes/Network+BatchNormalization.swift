import MartletTensors

extension Network {
    /// Folds each batch normalisation that alone reads a convolution, with constant parameters, into its weight and bias.
    ///
    /// `weight' = weight g`, `bias' = (bias - mean) g + shift`, `g = scale / sqrt(variance + epsilon)`, computed in double.
    public mutating func foldBatchNormalizations() throws {
        var uses = useCounts()
        var names = UnusedNames(taken: valueNames)
        var producers: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            if case .convolution(let convolution) = node.operation, convolution.activation == nil,
                !convolution.addsResidual, let output = node.outputs.first, let output, uses[output] == 1
            {
                producers[output] = index
            }
        }
        var removed: Set<Int> = []
        for (index, node) in nodes.enumerated() {
            guard case .batchNormalization(let epsilon) = node.operation, let input = node.input(0),
                let producer = producers[input], let parameters = folding(node, epsilon: epsilon)
            else { continue }
            guard try scale(convolution: producer, by: parameters, uses: &uses, names: &names) else { continue }
            nodes[producer].outputs = [node.outputs[0]]
            removed.insert(index)
        }
        nodes = nodes.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
        if !removed.isEmpty { removeDeadNodes() }
    }

    private func folding(_ node: Node, epsilon: Float) -> (gain: [Double], mean: [Double], shift: [Double])? {
        func parameter(_ index: Int) -> [Double]? {
            guard let tensor = node.input(index).flatMap({ constants[$0] }), tensor.elementType == .float32 else {
                return nil
            }
            return tensor.withElements(of: Float.self) { $0.map { Double($0) } }
        }
        guard node.outputs.count == 1, let scale = parameter(1), let shift = parameter(2), let mean = parameter(3),
            let variance = parameter(4), [shift, mean, variance].allSatisfy({ $0.count == scale.count })
        else { return nil }
        let gain = zip(scale, variance).map { $0 / ($1 + Double(epsilon)).squareRoot() }
        return (gain, mean, shift)
    }

    private mutating func scale(
        convolution index: Int, by parameters: (gain: [Double], mean: [Double], shift: [Double]),
        uses: inout [String: Int], names: inout UnusedNames
    ) throws -> Bool {
        guard let weightName = nodes[index].input(1), var weight = constants[weightName],
            weight.elementType == .float32, weight.shape.rank > 2, weight.shape[0] == parameters.gain.count
        else { return false }
        let outputs = weight.shape[0]
        var bias = [Double](repeating: 0, count: outputs)
        if let name = nodes[index].input(2) {
            guard let tensor = constants[name], tensor.elementType == .float32, tensor.shape.elementCount == outputs
            else { return false }
            bias = tensor.withElements(of: Float.self) { $0.map { Double($0) } }
        }
        let fan = weight.shape.elementCount / max(outputs, 1)
        try weight.withMutableElements(of: Float.self) { elements in
            for t in 0..<outputs {
                for i in t * fan..<(t + 1) * fan { elements[i] = Float(Double(elements[i]) * parameters.gain[t]) }
            }
        }
        let folded = (0..<outputs).map {
            Float((bias[$0] - parameters.mean[$0]) * parameters.gain[$0] + parameters.shift[$0])
        }
        // Fresh names where the constants are shared with others, the old ones where they are not.
        func ownName(_ name: String?, _ wish: String) -> String {
            if let name {
                if uses[name] == 1 { return name }
                uses[name, default: 1] -= 1
            }
            let own = names.take(wish)
            uses[own] = 1
            return own
        }
        let newBias = ownName(nodes[index].input(2), "\(weightName).bias")
        let newWeight = ownName(weightName, "\(weightName).folded")
        constants[newWeight] = weight
        constants[newBias] = try Tensor(folded, shape: Shape([outputs]))
        nodes[index].inputs = [nodes[index].inputs[0], newWeight, newBias]
        return true
    }
}
