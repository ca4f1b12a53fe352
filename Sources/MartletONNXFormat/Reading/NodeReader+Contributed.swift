import MartletNetworks
import MartletTensors

extension NodeReader {
    /// The domain of ONNX Runtime's own operators.
    static let contributedDomain = "com.microsoft"

    /// The nodes that an operator of ONNX Runtime's on quantized numbers stands for, `nil` for one that is not understood: the
    /// numbers are dequantized, the operation is done on them, and what comes out is quantized.
    ///
    /// `QuantizeLinear` and `DequantizeLinear` of that domain are ONNX's own.
    mutating func contributedNodes() throws -> [Node]? {
        switch proto.opType {
        case "QuantizeLinear", "DequantizeLinear":
            guard let operation = try quantization() else { return nil }
            return [Node(name: proto.name, operation: operation, inputs: inputs, outputs: [try result()])]
        case "QLinearAdd": return try around(.arithmetic(.add), values: [0, 3], result: 6)
        case "QLinearMul": return try around(.arithmetic(.multiply), values: [0, 3], result: 6)
        case "QLinearSigmoid": return try around(.activation(.sigmoid), values: [0], result: 3)
        case "QLinearLeakyRelu":
            return try around(
                .activation(.leakyRelu(slope: try attributes.float("alpha", default: 0.01))), values: [0], result: 3)
        case "QLinearGlobalAveragePool":
            try refuseChannelsLast()
            return try around(.globalAveragePool, values: [0], result: 3)
        case "QLinearAveragePool":
            try refuseChannelsLast()
            let countsPadding = try attributes.flag("count_include_pad")
            return try around(.averagePool(try pooling(), countsPadding: countsPadding), values: [0], result: 3)
        case "QLinearConcat":
            let axis = try attributes.integer("axis", default: 1)
            return try around(.concat(axis: axis), values: Array(stride(from: 2, to: inputs.count, by: 3)), result: 0)
        case "QGemm": return try quantizedGemm()
        default: return nil
        }
    }

    private mutating func refuseChannelsLast() throws {
        if try attributes.flag("channels_last") {
            throw AttributeReader.Defect.unsupported("channels behind the spatial axes")
        }
    }

    private func input(_ index: Int) -> String? { index < inputs.count ? inputs[index] : nil }

    /// A zero point as the last of a node's inputs, if there is one.
    private func zeroPoint(_ index: Int) -> [String?] { input(index).map { [$0] } ?? [] }

    private func result() throws -> String {
        guard let name = proto.output.first, !name.isEmpty else {
            throw AttributeReader.Defect.invalid("it has no output")
        }
        return name
    }

    /// The dequantization of the value at an index, with scale and zero point behind it.
    private func dequantized(_ index: Int, axis: Int = 1) throws -> Node {
        guard let value = input(index), let scale = input(index + 1) else {
            throw AttributeReader.Defect.invalid("it has \(inputs.count) inputs")
        }
        return Node(
            name: "", operation: .dequantizeLinear(axis: axis), inputs: [value, scale] + zeroPoint(index + 2),
            outputs: ["\(try result()).operand\(index)"])
    }

    /// The quantization of the result with scale and zero point at an index.
    private func quantized(_ value: String, scale index: Int) throws -> Node {
        guard let scale = input(index) else { throw AttributeReader.Defect.invalid("it has \(inputs.count) inputs") }
        return Node(
            name: "", operation: .quantizeLinear(axis: 1, type: .uint8), inputs: [value, scale] + zeroPoint(index + 1),
            outputs: [try result()])
    }

    /// An operation on quantized values.
    private func around(_ operation: Operator, values: [Int], result index: Int) throws -> [Node] {
        let operands = try values.map { try dequantized($0) }
        let exact = "\(try result()).exact"
        if operands.isEmpty { throw AttributeReader.Defect.invalid("it has \(inputs.count) inputs") }
        let node = Node(
            name: proto.name, operation: operation, inputs: operands.map { $0.outputs[0] }, outputs: [exact])
        return operands + [node, try quantized(exact, scale: index)]
    }

    private mutating func quantizedGemm() throws -> [Node] {
        let gemm = Gemm(
            alpha: try attributes.float("alpha", default: 1), transposesA: try attributes.flag("transA"),
            transposesB: try attributes.flag("transB"))
        var nodes = [try dequantized(0), try dequantized(3, axis: gemm.transposesB ? 0 : 1)]
        var operands = nodes.map { $0.outputs[0] }
        if let bias = input(6) {
            // In units of the product, which only constants tell before the network runs.
            guard let scales = try biasScales(alpha: gemm.alpha) else {
                throw AttributeReader.Defect.unsupported("scales that are known only at run time")
            }
            let (name, scale) = ("\(try result()).operand6", "\(try result()).scale6")
            constants[scale] = scales
            nodes.append(Node(name: "", operation: .dequantizeLinear(axis: 0), inputs: [bias, scale], outputs: [name]))
            operands.append(name)
        }
        // Without a scale the result is floating-point.
        let isQuantized = input(7) != nil
        let output = try isQuantized ? "\(result()).exact" : result()
        nodes.append(Node(name: proto.name, operation: .gemm(gemm), inputs: operands, outputs: [output]))
        return isQuantized ? nodes + [try quantized(output, scale: 7)] : nodes
    }

    private func biasScales(alpha: Float) throws -> Tensor? {
        guard let a = input(1).flatMap({ known[$0] }), let b = input(4).flatMap({ known[$0] }),
            a.elementType == .float32, b.elementType == .float32, a.shape.elementCount == 1
        else { return nil }
        let factor = a.withElements(of: Float.self) { $0[0] } * alpha
        return try Tensor(b.withElements(of: Float.self) { $0.map { $0 * factor } }, shape: b.shape)
    }
}
