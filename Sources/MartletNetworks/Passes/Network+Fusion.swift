import MartletTensors

extension Network {
    /// Draws residual additions and activations into the convolution or matrix product before them.
    ///
    /// For execution only: the writer takes fused nodes apart again. `types` are those of
    /// ``specialized(to:values:)``; an addition is fused only where both sides have the convolution's own shape.
    public mutating func fuse(types: [String: TensorType]) {
        let uses = useCounts()
        var producers: [String: Int] = [:]
        var removed: Set<Int> = []
        for index in nodes.indices {
            if let producer = fusionTarget(of: index, uses: uses, types: types, producers: producers) {
                // Moved to the later place: by then a residual is computed too.
                var fused = nodes[producer.index]
                fused.operation = producer.operation
                if let residual = producer.residual {
                    while fused.inputs.count < 3 { fused.inputs.append(nil) }
                    fused.inputs.append(residual)
                }
                fused.outputs = nodes[index].outputs
                nodes[index] = fused
                removed.insert(producer.index)
            }
            if let output = nodes[index].outputs.first, let output { producers[output] = index }
        }
        nodes = nodes.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
    }

    private func fusionTarget(
        of index: Int, uses: [String: Int], types: [String: TensorType], producers: [String: Int]
    ) -> (index: Int, operation: Operator, residual: String?)? {
        let node = nodes[index]
        func fusable(_ value: String?) -> Int? {
            guard let value, uses[value] == 1, let producer = producers[value] else { return nil }
            return producer
        }
        if let activation = activation(of: node) {
            guard let producer = fusable(node.input(0)) else { return nil }
            switch nodes[producer].operation {
            case .convolution(var convolution) where convolution.activation == nil:
                convolution.activation = activation
                return (producer, .convolution(convolution), nil)
            case .gemm(var gemm) where gemm.activation == nil:
                gemm.activation = activation
                return (producer, .gemm(gemm), nil)
            default: return nil
            }
        }
        guard node.operation == .arithmetic(.add) || (node.operation == .sum && node.inputs.count == 2),
            let left = node.input(0), let right = node.input(1), left != right, types[left] == types[right]
        else { return nil }
        // The later of two convolutions takes the sum: the other is finished by then.
        let candidates = [(left, right), (right, left)].compactMap { value, residual in
            fusable(value).map { (index: $0, residual: residual) }
        }
        for candidate in candidates.sorted(by: { $0.index > $1.index }) {
            guard case .convolution(var convolution) = nodes[candidate.index].operation,
                convolution.activation == nil, !convolution.addsResidual
            else { continue }
            convolution.addsResidual = true
            return (candidate.index, .convolution(convolution), candidate.residual)
        }
        return nil
    }

    /// The node as an activation, if it is one with constant parameters.
    private func activation(of node: Node) -> Activation? {
        switch node.operation {
        case .activation(let activation): return activation
        case .clip:
            func bound(_ index: Int, _ fallback: Float) -> Float? {
                guard let name = node.input(index) else { return fallback }
                guard let tensor = constants[name], tensor.elementType == .float32, tensor.shape.elementCount == 1
                else { return nil }
                return tensor.withElements(of: Float.self) { $0[0] }
            }
            guard let minimum = bound(1, -.infinity), let maximum = bound(2, .infinity) else { return nil }
            return .clip(minimum: minimum, maximum: maximum)
        default: return nil
        }
    }
}
