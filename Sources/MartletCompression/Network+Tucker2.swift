import MartletDecompositions
import MartletNetworks
import MartletTensors

extension Network {
    /// Replaces a convolution by the three that its Tucker-2 form amounts to: 1x1, the kernel's own window, 1x1.
    ///
    /// The border stays right: the first has no bias, so zeros stay zeros.
    mutating func replace(_ layer: WeightedLayer, with factors: Tucker2) throws {
        guard case .convolution(let convolution) = layer.kind else { return }
        let node = nodes[layer.nodeIndex]
        let ones = [Int](repeating: 1, count: layer.kernel.count)
        let (outputRank, inputRank) = (factors.outputRank, factors.inputRank)
        let pointwise = Convolution(window: Window(kernel: ones))
        var taken = Set(constants.keys).union(inputs.map(\.name))
        for node in nodes { taken.formUnion(node.outputs.compactMap { $0 }) }
        func fresh(_ wish: String) -> String {
            let name = unusedName(wish, among: taken)
            taken.insert(name)
            return name
        }
        func constant(_ values: [Float], _ extents: [Int], _ part: String) throws -> String {
            let name = fresh("\(layer.weight).\(part)")
            constants[name] = try Tensor(values, shape: try Shape(extents))
            return name
        }
        let weights = [
            try constant(factors.inputKernel.floatElements, [inputRank, layer.inputs] + ones, "input_factor"),
            try constant(factors.core.floatElements, [outputRank, inputRank] + layer.kernel, "core"),
            try constant(factors.outputKernel.floatElements, [layer.outputs, outputRank] + ones, "output_factor"),
        ]
        let values = [fresh("\(layer.name).inputs"), fresh("\(layer.name).outputs")]
        var core = Convolution(window: convolution.window)
        core.groups = 1
        let replacement = [
            Node(
                name: "\(layer.name).input_factor", operation: .convolution(pointwise),
                inputs: [node.inputs[0], weights[0]], outputs: [values[0]]),
            Node(
                name: "\(layer.name).core", operation: .convolution(core), inputs: [values[0], weights[1]],
                outputs: [values[1]]),
            Node(
                name: "\(layer.name).output_factor", operation: .convolution(pointwise),
                inputs: [values[1], weights[2], layer.bias], outputs: node.outputs),
        ]
        nodes.replaceSubrange(layer.nodeIndex...layer.nodeIndex, with: replacement)
    }
}
