import MartletNetworks
import MartletTensors

// A matrix product with constant weights is a convolution of images of one pixel.

extension QuantizedNetwork {
    mutating func gemm(_ node: Node, _ gemm: Gemm) -> Node? {
        guard gemm.alpha == 1, !gemm.transposesA, gemm.beta == 1 || node.input(2) == nil,
            var weights = weights(node.input(1)), let bias = bias(node.input(2)),
            let columns = extents(node.outputs.first.flatMap { $0 })?.last,
            bias.map({ network.constants[$0.name]?.shape.elementCount == columns }) ?? true
        else { return nil }
        if weights.scales.count > 1, weights.isTransposed == gemm.transposesB { return nil }
        weights.isTransposed = !gemm.transposesB
        guard let end = ending(node, activation: gemm.activation) else {
            return gemm.activation == nil ? productOfFloats(node, weights: weights, bias: bias) : nil
        }
        return product(node, weights: weights, bias: bias, end: end) { $0.movedBytes(node.input(0)) }
    }

    mutating func matMul(_ node: Node) -> Node? {
        guard var weights = weights(node.input(1)), let end = ending(node) else { return nil }
        if weights.scales.count > 1, !weights.isTransposed { return nil }
        weights.isTransposed = true
        return product(node, weights: weights, bias: nil, end: end) { $0.movedBytes(node.input(0)) }
    }

    mutating func quantizedMatMul(_ node: Node) -> Node? {
        guard let source = node.input(0), network.constants[source] == nil, let type = types[source]?.elementType,
            let quantization = ByteQuantization(
                scale: node.input(1), zeroPoint: node.input(2), type: type, in: network),
            var weights = weights(node.input(3), scale: node.input(4), zeroPoint: node.input(5), axis: 1),
            let output = node.outputs.first, let output, let outputType = types[output]?.elementType,
            let result = ByteQuantization(
                scale: node.input(6), zeroPoint: node.input(7), type: outputType, in: network)
        else { return nil }
        weights.isTransposed = true
        let end = Ending(output: output, rounding: ByteRounding(quantization: result, bounds: 0...255), nodes: [])
        return product(node, weights: weights, bias: nil, end: end) { _ in (source, quantization) }
    }

    /// The product whose result nobody rounds: the last layer of most networks.
    private mutating func productOfFloats(_ node: Node, weights: ByteWeights, bias: ByteBias?) -> Node? {
        guard let output = node.outputs.first, let output, let x = movedBytes(node.input(0)),
            let extents = extents(x.source), extents.count == 2, !extents.contains(0)
        else { return nil }
        products[output] = QuantizedProduct(x: x.quantization, weights: weights, bias: bias)
        return Node(
            name: node.name, operation: node.operation, inputs: [x.source, weights.name, bias?.name], outputs: [output])
    }

    /// The product as a convolution; before it and after it the matrices become images and the reverse.
    private mutating func product(
        _ node: Node, weights: ByteWeights, bias: ByteBias?, end: Ending,
        operand: (inout QuantizedNetwork) -> (source: String, quantization: ByteQuantization)?
    ) -> Node? {
        guard let weight = network.constants[weights.name], weight.shape.rank == 2,
            let result = extents(end.output), result.count == 2, !result.contains(0),
            let x = operand(&self), let extents = extents(x.source), extents.count == 2, extents[1] > 0,
            weight.shape.elementCount == extents[1] * result[1], let numbers = try? shapeTensor(extents + [1, 1])
        else { return nil }
        let type = types[x.source]?.elementType ?? .uint8
        let image = newValue("\(x.source).image", type, (extents + [1, 1]).map { .fixed($0) })
        let shape = newValue("\(image).shape", .int64, [.fixed(4)])
        network.constants[shape] = numbers
        append(
            Node(name: node.name, operation: .reshape(allowsZero: false), inputs: [x.source, shape], outputs: [image]))
        let resultType = types[end.output]?.elementType ?? .uint8
        let product = newValue("\(end.output).image", resultType, (result + [1, 1]).map { .fixed($0) })
        var plain = node
        plain.operation = .convolution(Convolution(window: Window(kernel: [1, 1])))
        var ending = end
        ending.output = product
        append(
            layer(
                plain, inputs: [image, weights.name, bias?.name], sources: [(image, x.quantization)], end: ending,
                weights: weights, bias: bias))
        return Node(name: node.name, operation: .flatten(axis: 1), inputs: [product], outputs: [end.output])
    }

    /// The operand of a reshape.
    private func shapeTensor(_ extents: [Int]) throws -> Tensor {
        var tensor = try Tensor(zeros: Shape([extents.count]), elementType: .int64)
        try tensor.withMutableElements(of: Int64.self) { for i in $0.indices { $0[i] = Int64(extents[i]) } }
        return tensor
    }
}
