import MartletNetworks
import MartletTensors

extension QuantizedNetwork {
    mutating func convolution(_ node: Node, _ convolution: Convolution) -> Node? {
        guard let x = bytes(node.input(0)), let weights = weights(node.input(1)), let bias = bias(node.input(2)),
            let end = ending(node, activation: convolution.activation)
        else { return nil }
        guard suits(convolution, x: x.source, weight: weights.name, y: end.output),
            let input = extents(x.source), let output = extents(end.output), !isSlow(convolution, input, output)
        else { return nil }
        var linear = convolution
        linear.activation = nil
        var sources = [x]
        var inputs = [x.source, weights.name, bias?.name]
        if convolution.addsResidual {
            guard let residual = bytes(node.input(3)), extents(residual.source) == extents(end.output) else {
                return nil
            }
            sources.append(residual)
            inputs.append(residual.source)
        }
        var result = node
        result.operation = .convolution(linear)
        return layer(result, inputs: inputs, sources: sources, end: end, weights: weights, bias: bias)
    }

    mutating func quantizedConvolution(_ node: Node, _ convolution: Convolution) -> Node? {
        guard let source = node.input(0), network.constants[source] == nil, let type = types[source]?.elementType,
            let quantization = ByteQuantization(
                scale: node.input(1), zeroPoint: node.input(2), type: type, in: network),
            let weights = weights(node.input(3), scale: node.input(4), zeroPoint: node.input(5), axis: 0),
            let output = node.outputs.first, let output, let outputType = types[output]?.elementType,
            let result = ByteQuantization(
                scale: node.input(6), zeroPoint: node.input(7), type: outputType, in: network),
            suits(convolution, x: source, weight: weights.name, y: output)
        else { return nil }
        if let bias = node.input(8), network.constants[bias]?.elementType != .int32 { return nil }
        var plain = node
        plain.operation = .convolution(convolution)
        return layer(
            plain, inputs: [source, weights.name, node.input(8)], sources: [(source, quantization)], output: output,
            rounding: ByteRounding(quantization: result, bounds: 0...255), weights: weights,
            bias: node.input(8).map { ByteBias(name: $0) })
    }

    /// Whether there are kernels for a convolution.
    func suits(_ convolution: Convolution, x: String, weight: String, y: String) -> Bool {
        guard isImage(x), isImage(y), let kernel = extents(weight), kernel.count == 4, let input = extents(x),
            let output = extents(y),
            LayoutAssignment.hasNarrowBorder(convolution.window, input: input, output: output)
        else { return false }
        return convolution.groups == 1 || (kernel[1] == 1 && kernel[0] == convolution.groups)
    }

    // MARK: Parameters

    /// The weights that a dequantisation of a constant makes.
    func weights(_ value: String?) -> ByteWeights? {
        guard let value, let node = producer(of: value), case .dequantizeLinear(let axis) = node.operation else {
            return nil
        }
        return weights(node.input(0), scale: node.input(1), zeroPoint: node.input(2), axis: axis)
    }

    /// Weights of 8 bits with one scale or one for each output, and one zero point.
    func weights(_ name: String?, scale: String?, zeroPoint: String?, axis: Int) -> ByteWeights? {
        guard let name, let tensor = network.constants[name], tensor.shape.rank >= 2, let scale,
            let scales = floats(scale), let zero = zeroPointOfWeights(tensor, zeroPoint)
        else { return nil }
        let along = axis < 0 ? axis + tensor.shape.rank : axis
        if scales.count == 1 { return ByteWeights(name: name, scales: scales, zeroPoint: zero) }
        guard along == 0 || (along == 1 && tensor.shape.rank == 2), scales.count == tensor.shape[along] else {
            return nil
        }
        return ByteWeights(name: name, scales: scales, zeroPoint: zero, isTransposed: along == 1)
    }

    /// A constant of positive numbers.
    private func floats(_ name: String) -> [Float]? {
        guard let tensor = network.constants[name], tensor.elementType == .float32 else { return nil }
        let numbers = tensor.withElements(of: Float.self) { Array($0) }
        return !numbers.isEmpty && numbers.allSatisfy { $0 > 0 && $0.isFinite } ? numbers : nil
    }

    /// The zero point that all weights have, if without it each fits a signed byte.
    private func zeroPointOfWeights(_ tensor: Tensor, _ name: String?) -> Int? {
        func find<Element: TensorElement & FixedWidthInteger>(_: Element.Type) -> Int? {
            var zeros: Set<Int> = [0]
            if let name {
                guard let given = network.constants[name], given.elementType == Element.elementType else { return nil }
                zeros = given.withElements(of: Element.self) { Set($0.map { Int($0) }) }
            }
            guard let zero = zeros.first, zeros.count == 1 else { return nil }
            if Int(Element.min) - zero >= -128, Int(Element.max) - zero <= 127 { return zero }
            let fits = tensor.withElements(of: Element.self) { $0.allSatisfy { (-128...127).contains(Int($0) - zero) } }
            return fits ? zero : nil
        }
        return switch tensor.elementType {
        case .int8: find(Int8.self)
        case .uint8: find(UInt8.self)
        default: nil
        }
    }

    /// The bias of a layer: of floats, or the integers that a dequantisation of a constant starts from; the outer `nil` if
    /// it is neither.
    func bias(_ value: String?) -> ByteBias?? {
        guard let value else { return .some(nil) }
        if network.constants[value]?.elementType == .float32 { return ByteBias(name: value, scales: [1]) }
        guard let node = producer(of: value), case .dequantizeLinear = node.operation, let name = node.input(0),
            let tensor = network.constants[name], tensor.elementType == .int32, let scale = node.input(1),
            let scales = floats(scale), scales.count == 1 || scales.count == tensor.shape.elementCount
        else { return nil }
        if let zero = node.input(2) {
            guard let zeros = network.constants[zero], zeros.elementType == .int32,
                zeros.withElements(of: Int32.self, { $0.allSatisfy { $0 == 0 } })
            else { return nil }
        }
        return ByteBias(name: name, scales: scales)
    }
}
