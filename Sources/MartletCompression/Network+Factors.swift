import MartletDecompositions
import MartletNetworks
import MartletTensors

extension Network {
    /// Replaces a layer by the chain that stands for its kernel, the last link with the bias.
    ///
    /// A convolution becomes convolutions, each with the window, stride, padding and dilation of the original on the axes
    /// that it takes over. The border stays right: only the last has a bias, so zeros stay zeros. A fully connected layer
    /// becomes fully connected layers.
    mutating func replace(_ layer: WeightedLayer, with replacement: LayerReplacement) throws {
        let links = replacement.links
        let node = nodes[layer.nodeIndex]
        var names = UnusedNames(taken: valueNames)
        var chain: [Node] = []
        var value = node.inputs[0]
        var corrected: String?
        if let bias = replacement.bias {
            let name = names.take("\(layer.weight).bias")
            constants[name] = try Tensor(bias.map { Float($0) }, shape: try Shape([bias.count]))
            corrected = name
        }
        for (index, link) in links.enumerated() {
            let isLast = index == links.count - 1
            let weight = names.take("\(layer.weight).\(link.name)")
            let output = isLast ? nil : names.take("\(layer.name).\(link.name)")
            let bias = isLast ? corrected ?? layer.bias : nil
            let kernel = link.kernel
            let operation: Operator
            switch layer.kind {
            case .convolution(let original):
                let window = link.window.part(of: original.window)
                let extents = [kernel.outputs, kernel.inputs] + window.kernel
                constants[weight] = try Tensor(kernel.floatElements, shape: try Shape(extents))
                operation = .convolution(
                    Convolution(window: window, groups: link.isDepthwise ? kernel.outputs : 1))
            case .fullyConnected:
                // As `[inputs, outputs]` where there is no way to say that it is transposed.
                let isMatMul = node.operation == .matMul
                let matrix = isMatMul ? kernel.matrix.transposed : kernel.matrix
                constants[weight] = try Tensor(
                    matrix.elements.map { Float($0) }, shape: try Shape([matrix.rows, matrix.columns]))
                operation = isMatMul ? .matMul : .gemm(Gemm(transposesB: true))
            }
            chain.append(
                Node(
                    name: "\(layer.name).\(link.name)", operation: operation,
                    inputs: bias == nil ? [value, weight] : [value, weight, bias],
                    outputs: isLast ? node.outputs : [output]))
            value = output
        }
        nodes.replaceSubrange(layer.nodeIndex...layer.nodeIndex, with: chain)
    }
}

extension FactorLayer.Window {
    /// The window on the axes that the link takes over, and 1 wide on the others. With one spatial axis, that is the
    /// horizontal one.
    fileprivate func part(of window: MartletNetworks.Window) -> MartletNetworks.Window {
        let keeps: [Bool] =
            switch self {
            case .full: [Bool](repeating: true, count: window.rank)
            case .point: [Bool](repeating: false, count: window.rank)
            case .rows: window.rank == 2 ? [true, false] : [false]
            case .columns: window.rank == 2 ? [false, true] : [true]
            }
        func kept(_ values: [Int], otherwise other: Int) -> [Int] { zip(values, keeps).map { $1 ? $0 : other } }
        var result = window
        result.kernel = kept(window.kernel, otherwise: 1)
        result.strides = kept(window.strides, otherwise: 1)
        result.dilations = kept(window.dilations, otherwise: 1)
        switch window.padding {
        case .explicit(let before, let after):
            result.padding = .explicit(before: kept(before, otherwise: 0), after: kept(after, otherwise: 0))
        case .sameUpper, .sameLower, .valid:
            // A window of 1 that moves by 1 has no border by any of these rules.
            break
        }
        return result
    }
}
