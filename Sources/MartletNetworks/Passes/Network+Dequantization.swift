import MartletTensors

extension Network {
    /// Computes in advance what constants stand for in floating point, for a runtime that computes in it.
    ///
    /// Folding leaves quantized weights alone, since they are what makes a file small; this pass is for execution only.
    /// - Throws: ``NetworkError``.
    public mutating func foldDequantizedConstants() throws {
        var kept: [Node] = []
        for node in nodes {
            guard case .dequantizeLinear = node.operation, let output = node.outputs.first, let output,
                let tensor = try dequantized(node)
            else {
                kept.append(node)
                continue
            }
            constants[output] = tensor
        }
        if kept.count == nodes.count { return }
        nodes = kept
        removeDeadNodes()
    }

    /// The result of a dequantization of constants, `nil` where an operand is not one.
    private func dequantized(_ node: Node) throws -> Tensor? {
        var inputs: [Tensor?] = []
        for input in node.inputs {
            guard let input else {
                inputs.append(nil)
                continue
            }
            guard let tensor = constants[input] else { return nil }
            inputs.append(tensor)
        }
        guard inputs.count > 1, let x = inputs[0], let scale = inputs[1] else { return nil }
        var outputs = [try Tensor(zeros: x.shape, elementType: scale.elementType)]
        _ = try node.evaluate(inputs, into: &outputs)
        return outputs[0]
    }
}
