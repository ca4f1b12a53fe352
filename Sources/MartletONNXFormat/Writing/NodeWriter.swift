import Foundation
import MartletNetworks
import MartletTensors

/// Turns one node into ONNX nodes: usually one, several where fusion joined what ONNX has apart.
struct NodeWriter {
    /// The opset written.
    let opset: Int
    /// The constants of the network, for those that older opsets want as attributes.
    let constants: [String: Tensor]
    /// The names taken so far.
    var names: Set<String>
    /// Constants that writing needs besides the network's.
    private(set) var added: [(name: String, tensor: Tensor)] = []

    init(network: Network, opset: Int) {
        self.opset = opset
        constants = network.constants
        names = Set(network.constants.keys).union(network.inputs.map(\.name))
        for node in network.nodes { for case let output? in node.outputs { names.insert(output) } }
    }

    /// The opset that a node needs.
    static func neededOpset(for node: Node, constants: [String: Tensor]) -> Int {
        switch node.operation {
        case .averagePool(let pooling, _): pooling.window.dilations.contains { $0 != 1 } ? 19 : 0
        case .pad(let mode): mode == .wrap ? 19 : node.input(3) != nil ? 18 : 0
        case .reduceMean(_, let keepsInput):
            keepsInput || node.input(1).map { constants[$0] == nil } ?? false ? 18 : 0
        // Uneven parts could only be told by sizes before.
        case .split: node.input(1) == nil ? 18 : 0
        case .quantizeLinear(_, let type): needsNewQuantization(node, type: type, constants: constants) ? 21 : 0
        case .dequantizeLinear: needsNewQuantization(node, type: .uint8, constants: constants) ? 21 : 0
        default: 0
        }
    }

    /// Whether a quantization has 16 bits, or a type that no zero point states.
    private static func needsNewQuantization(_ node: Node, type: ElementType, constants: [String: Tensor]) -> Bool {
        guard let zeroPoint = node.input(2) else { return type != .uint8 }
        return constants[zeroPoint].map { $0.elementType.byteCount == 2 } ?? false
    }

    mutating func protos(for node: Node) throws -> [NodeProto] {
        switch node.operation {
        case .convolution(let convolution): return convolutionProtos(node, convolution)
        case .gemm(let gemm):
            return activated(node, gemm.activation) { writer, output in
                [writer.gemmProto(node, gemm, output: output)]
            }
        case .softmax(let softmax) where softmax.flattensTrailingAxes: return flattenedSoftmax(node, softmax)
        default: return [try single(node)]
        }
    }

    // MARK: Fused nodes, taken apart

    private mutating func convolutionProtos(_ node: Node, _ convolution: Convolution) -> [NodeProto] {
        activated(node, convolution.activation) { writer, output in
            guard convolution.addsResidual, let residual = node.input(3) else {
                return [writer.convolutionProto(node, convolution, output: output)]
            }
            let product = writer.fresh("\(output).convolution")
            return [
                writer.convolutionProto(node, convolution, output: product),
                writer.node("Add", "\(node.name).residual", [product, residual], [output]),
            ]
        }
    }

    /// A node followed by the activation that was fused into it.
    private mutating func activated(
        _ node: Node, _ activation: Activation?, _ body: (inout NodeWriter, String) -> [NodeProto]
    ) -> [NodeProto] {
        let output = node.outputs.first.flatMap { $0 } ?? ""
        guard let activation else { return body(&self, output) }
        let linear = fresh("\(output).linear")
        let product = body(&self, linear)
        return product + [
            activationProto(activation, name: "\(node.name).activation", input: linear, output: output)
        ]
    }

    private mutating func flattenedSoftmax(_ node: Node, _ softmax: Softmax) -> [NodeProto] {
        let (input, output) = (node.input(0) ?? "", node.outputs.first.flatMap { $0 } ?? "")
        let (shape, flat, result) = (fresh("\(output).shape"), fresh("\(output).flat"), fresh("\(output).rows"))
        return [
            self.node("Shape", "\(node.name).shape", [input], [shape]),
            self.node("Flatten", "\(node.name).flatten", [input], [flat], [integer("axis", softmax.axis)]),
            self.node(
                softmax.isLogarithmic ? "LogSoftmax" : "Softmax", node.name, [flat], [result], [integer("axis", 1)]),
            self.node("Reshape", "\(node.name).restore", [result, shape], [output]),
        ]
    }

    // MARK: Everything else

    private mutating func single(_ node: Node) throws -> NodeProto {
        func proto(_ type: String, _ attributes: [AttributeProto] = [], inputs count: Int? = nil) -> NodeProto {
            self.node(type, node.name, Array(node.inputs.prefix(count ?? .max)), node.outputs, attributes)
        }
        switch node.operation {
        case .convolution(let convolution):
            return convolutionProto(node, convolution, output: node.outputs.first.flatMap { $0 } ?? "")
        case .gemm(let gemm): return gemmProto(node, gemm, output: node.outputs.first.flatMap { $0 } ?? "")
        case .batchNormalization(let epsilon): return proto("BatchNormalization", [float("epsilon", epsilon)])
        case .activation(let activation):
            return activationProto(
                activation, name: node.name, input: node.input(0) ?? "", output: node.outputs.first.flatMap { $0 } ?? ""
            )
        case .clip: return proto("Clip")
        case .parametricRelu: return proto("PRelu")
        case .maxPool(let pooling):
            return proto("MaxPool", window(pooling.window) + flag("ceil_mode", pooling.ceilMode))
        case .averagePool(let pooling, let countsPadding):
            return proto(
                "AveragePool",
                window(pooling.window, hasDilations: opset >= 19) + flag("ceil_mode", pooling.ceilMode)
                    + flag("count_include_pad", countsPadding))
        case .globalAveragePool: return proto("GlobalAveragePool")
        case .globalMaxPool: return proto("GlobalMaxPool")
        case .reduceMean(let keepsAxes, let keepsInput): return try reduceMean(node, keepsAxes, keepsInput)
        case .arithmetic(let arithmetic): return proto(NodeWriter.name(of: arithmetic))
        case .sum: return proto("Sum")
        case .concat(let axis): return proto("Concat", [integer("axis", axis)])
        case .split(let axis):
            let counted = opset >= 18 && node.input(1) == nil
            return proto(
                "Split", [integer("axis", axis)] + (counted ? [integer("num_outputs", node.outputs.count)] : []))
        case .matMul: return proto("MatMul")
        case .flatten(let axis): return proto("Flatten", [integer("axis", axis)])
        case .reshape(let allowsZero): return proto("Reshape", flag("allowzero", allowsZero))
        case .squeeze: return proto("Squeeze")
        case .unsqueeze: return proto("Unsqueeze")
        case .transpose(let permutation): return proto("Transpose", permutation.map { [integers("perm", $0)] } ?? [])
        case .softmax(let softmax):
            return proto(softmax.isLogarithmic ? "LogSoftmax" : "Softmax", [integer("axis", softmax.axis)])
        case .localResponseNormalization(let lrn):
            return proto(
                "LRN",
                [
                    float("alpha", lrn.alpha), float("beta", lrn.beta), float("bias", lrn.bias),
                    integer("size", lrn.size),
                ])
        case .dropout: return proto("Dropout", inputs: 1)
        case .identity: return proto("Identity")
        case .constantOfShape(let value):
            return proto("ConstantOfShape", [tensor("value", try value.reshaped(to: [1]))])
        case .shape(let start, let end):
            return proto("Shape", [integer("start", start)] + (end.map { [integer("end", $0)] } ?? []))
        case .gather(let axis): return proto("Gather", [integer("axis", axis)])
        case .slice: return proto("Slice")
        case .cast(let type): return proto("Cast", [integer("to", Int(type.onnx))])
        case .pad(let mode): return proto("Pad", [string("mode", mode.rawValue)])
        case .expand: return proto("Expand")
        case .equal: return proto("Equal")
        case .select: return proto("Where")
        case .quantizeLinear(let axis, let type):
            let stated = opset >= 21 && node.input(2) == nil
            return proto(
                "QuantizeLinear",
                scaleAxis(axis) + (stated ? [integer("output_dtype", Int(type.onnx))] : []))
        case .dequantizeLinear(let axis): return proto("DequantizeLinear", scaleAxis(axis))
        case .dynamicQuantizeLinear: return proto("DynamicQuantizeLinear")
        case .quantizedConvolution(let convolution):
            return proto("QLinearConv", convolutionAttributes(convolution))
        case .quantizedMatMul: return proto("QLinearMatMul")
        case .integerConvolution(let convolution):
            return proto("ConvInteger", convolutionAttributes(convolution))
        case .integerMatMul: return proto("MatMulInteger")
        }
    }

    private func reduceMean(_ node: Node, _ keepsAxes: Bool, _ keepsInput: Bool) throws -> NodeProto {
        var attributes = [integer("keepdims", keepsAxes ? 1 : 0)]
        if opset >= 18 {
            attributes.append(integer("noop_with_empty_axes", keepsInput ? 1 : 0))
            return self.node("ReduceMean", node.name, node.inputs, node.outputs, attributes)
        }
        if let name = node.input(1) {
            guard let axes = constants[name]?.integers else {
                throw ONNXError.cannotExpress(node: node.label, reason: "the axes '\(name)' are not integers")
            }
            if !axes.isEmpty { attributes.append(integers("axes", axes)) }
        }
        return self.node("ReduceMean", node.name, [node.input(0)], node.outputs, attributes)
    }

    private func convolutionProto(_ node: Node, _ convolution: Convolution, output: String) -> NodeProto {
        self.node(
            "Conv", node.name, Array(node.inputs.prefix(3)), [output], convolutionAttributes(convolution))
    }

    /// Left out where it is not set.
    private func flag(_ name: String, _ isSet: Bool) -> [AttributeProto] { isSet ? [integer(name, 1)] : [] }

    /// Left out where it is the usual one.
    private func scaleAxis(_ axis: Int) -> [AttributeProto] { axis == 1 ? [] : [integer("axis", axis)] }

    private func convolutionAttributes(_ convolution: Convolution) -> [AttributeProto] {
        window(convolution.window) + (convolution.groups == 1 ? [] : [integer("group", convolution.groups)])
    }

    private func gemmProto(_ node: Node, _ gemm: Gemm, output: String) -> NodeProto {
        self.node(
            "Gemm", node.name, node.inputs, [output],
            (gemm.alpha == 1 ? [] : [float("alpha", gemm.alpha)]) + (gemm.beta == 1 ? [] : [float("beta", gemm.beta)])
                + flag("transA", gemm.transposesA) + flag("transB", gemm.transposesB))
    }

    private mutating func activationProto(
        _ activation: Activation, name: String, input: String, output: String
    ) -> NodeProto {
        switch activation {
        case .relu: return node("Relu", name, [input], [output])
        case .leakyRelu(let slope): return node("LeakyRelu", name, [input], [output], [float("alpha", slope)])
        case .sigmoid: return node("Sigmoid", name, [input], [output])
        case .hardSigmoid(let alpha, let beta):
            return node("HardSigmoid", name, [input], [output], [float("alpha", alpha), float("beta", beta)])
        case .hardSwish: return node("HardSwish", name, [input], [output])
        case .tanh: return node("Tanh", name, [input], [output])
        case .clip(let minimum, let maximum):
            return node("Clip", name, [input, scalar(minimum, output), scalar(maximum, output)], [output])
        }
    }

    /// The name of a new scalar constant; `nil` for a bound that bounds nothing.
    private mutating func scalar(_ value: Float, _ output: String) -> String? {
        guard value.isFinite, let tensor = try? Tensor([value], shape: []) else { return nil }
        let name = fresh("\(output).bound")
        added.append((name, tensor))
        return name
    }

    private mutating func fresh(_ wish: String) -> String {
        var name = wish
        var number = 2
        while !names.insert(name).inserted {
            name = "\(wish).\(number)"
            number += 1
        }
        return name
    }

    private static func name(of arithmetic: Arithmetic) -> String {
        switch arithmetic {
        case .add: "Add"
        case .subtract: "Sub"
        case .multiply: "Mul"
        case .divide: "Div"
        }
    }
}
