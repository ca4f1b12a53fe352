import MartletNetworks

extension QuantizedNetwork {
    /// A layer of several operands.
    mutating func joint(_ node: Node) -> Node? {
        let sources = node.inputs.compactMap { bytes($0) }
        guard sources.count == node.inputs.count, Set(node.inputs).count == sources.count,
            sources.allSatisfy({ isImage($0.source) }), let end = ending(node)
        else { return nil }
        if case .concat(let axis) = node.operation {
            let block = QuantizedKernelSet.channelsOfBlock
            guard axis == 1 || axis == -3, end.nodes.count == 1,
                sources.allSatisfy({ (extents($0.source)?[1] ?? 1) % block == 0 })
            else { return nil }
            return layer(node, inputs: sources.map(\.source), sources: sources, end: end)
        }
        guard sources.count == 2, sources.allSatisfy({ extents($0.source) == extents(end.output) }) else { return nil }
        var sum = node
        sum.operation = .arithmetic(.add)
        return layer(sum, inputs: sources.map(\.source), sources: sources, end: end)
    }

    /// A layer of one operand.
    mutating func single(_ node: Node) -> Node? {
        guard let x = bytes(node.input(0)), isImage(x.source) else { return nil }
        var result = node
        var activation: Activation?
        if case .activation(let function) = node.operation {
            guard ClampBounds(function) != nil else { return nil }
            activation = function
            // Bytes brought to other bytes, between the layer's bounds.
            result.operation = .clip
        }
        guard let end = ending(node, activation: activation), isImage(end.output) else { return nil }
        if case .maxPool(let pooling) = node.operation {
            // The largest byte is the largest number as long as neither is rounded anew.
            guard end.rounding.quantization == x.quantization, end.rounding.bounds == 0...255,
                pooling.window.rank == 2
            else { return nil }
        }
        return layer(result, inputs: [x.source], sources: [x], end: end)
    }
}
