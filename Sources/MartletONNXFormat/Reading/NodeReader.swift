import MartletNetworks
import MartletTensors

/// Turns one ONNX node into Martlet's form of it: that of opset 21, with parameters that later became inputs as constants.
///
/// The operators of each family stand in an extension of their own.
struct NodeReader {
    let proto: NodeProto
    /// The opset the file was written for.
    let opset: Int
    /// The names of the inputs; parameters turned into constants are appended.
    var inputs: [String?]
    var attributes: AttributeReader
    /// Constants that stand for parameters, by name.
    var constants: [String: Tensor] = [:]
    /// The constants of the file so far.
    let known: [String: Tensor]
    /// The extents of other values, where the file states them or they follow at once.
    let extents: [String: [Int]]

    init(
        _ proto: NodeProto, opset: Int, known: [String: Tensor], extents: [String: [Int]]
    ) throws(AttributeReader.Defect) {
        self.proto = proto
        self.opset = opset
        self.known = known
        self.extents = extents
        inputs = proto.input.map { $0.isEmpty ? nil : $0 }
        attributes = try AttributeReader(proto)
    }

    /// The node, or `nil` if it was a constant.
    mutating func read(tensors: TensorReader) throws -> Node? {
        if !proto.domain.isEmpty, proto.domain != "ai.onnx" {
            throw AttributeReader.Defect.unsupported("operator of domain '\(proto.domain)'")
        }
        if proto.opType == "Constant" {
            try readConstant(tensors)
            try attributes.finish()
            return nil
        }
        let operation = try self.operation(tensors)
        if opset < 6, !ONNXReader.operatorsOfTheFirstOpset.contains(proto.opType) {
            throw AttributeReader.Defect.unsupported("\(proto.opType) of opset \(opset)")
        }
        try attributes.finish()
        var outputs = proto.output.map { $0.isEmpty ? nil : $0 }
        while let last = outputs.last, last == nil { outputs.removeLast() }
        while let last = inputs.last, last == nil { inputs.removeLast() }
        let (fewest, most) = NodeReader.inputCounts(of: operation)
        if inputs.count < fewest || inputs.count > most || inputs.prefix(fewest).contains(nil) {
            throw AttributeReader.Defect.invalid("it has \(inputs.compactMap { $0 }.count) inputs")
        }
        if outputs.isEmpty { throw AttributeReader.Defect.invalid("it has no output") }
        let outputLimit = NodeReader.largestOutputCount(of: operation)
        if outputs.count > outputLimit {
            throw AttributeReader.Defect.unsupported("output \(outputLimit) of \(proto.opType) (indices, statistics)")
        }
        return Node(name: proto.name, operation: operation, inputs: inputs, outputs: outputs)
    }

    private mutating func operation(_ tensors: TensorReader) throws -> Operator {
        switch proto.opType {
        case "Conv": return .convolution(try convolution(weight: 1))
        case "MaxPool":
            attributes.ignore("storage_order")
            return .maxPool(try pooling())
        case "AveragePool":
            let countsPadding = try attributes.flag("count_include_pad")
            return .averagePool(try pooling(), countsPadding: countsPadding)
        case "GlobalAveragePool": return .globalAveragePool
        case "GlobalMaxPool": return .globalMaxPool
        case "BatchNormalization": return try batchNormalization()
        case "LRN": return try localResponseNormalization()
        case "Relu": return try legacy(.activation(.relu))
        case "Sigmoid": return try legacy(.activation(.sigmoid))
        case "Tanh": return try legacy(.activation(.tanh))
        case "LeakyRelu":
            return try legacy(.activation(.leakyRelu(slope: try attributes.float("alpha", default: 0.01))))
        case "HardSwish": return .activation(.hardSwish)
        case "HardSigmoid":
            let alpha = try attributes.float("alpha", default: 0.2)
            return try legacy(
                .activation(.hardSigmoid(alpha: alpha, beta: try attributes.float("beta", default: 0.5))))
        case "PRelu": return try legacy(.parametricRelu)
        case "Clip": return try clip()
        case "Add": return try broadcasting(.arithmetic(.add))
        case "Sub": return try broadcasting(.arithmetic(.subtract))
        case "Mul": return try broadcasting(.arithmetic(.multiply))
        case "Div": return try broadcasting(.arithmetic(.divide))
        case "Equal": return try broadcasting(.equal)
        case "Sum": return try legacy(.sum)
        case "Where": return .select
        case "Gemm": return try gemm()
        case "MatMul": return .matMul
        case "ReduceMean": return try reduceMean()
        case "Softmax": return try softmax(isLogarithmic: false)
        case "LogSoftmax": return try softmax(isLogarithmic: true)
        default: return try quantization() ?? layout(tensors)
        }
    }

    /// Operators of opset 1 to 5 carry a hint that changes nothing.
    private mutating func legacy(_ operation: Operator) throws -> Operator {
        attributes.ignore("consumed_inputs")
        return operation
    }

    /// Appends a parameter that newer opsets take as the input at `index`, if there is one.
    mutating func append(_ numbers: [Int]?, at index: Int, called name: String) throws {
        guard let numbers else { return }
        try append(try Tensor(numbers.map { Int64($0) }, shape: try Shape([numbers.count])), at: index, called: name)
    }

    /// Appends a constant as the input at `index`.
    mutating func append(_ tensor: Tensor, at index: Int, called name: String) throws {
        while inputs.count < index { inputs.append(nil) }
        if inputs.count > index { throw AttributeReader.Defect.invalid("'\(name)' is both an attribute and an input") }
        let constant = "\(proto.output.first ?? proto.name).\(name)"
        constants[constant] = tensor
        inputs.append(constant)
    }

    /// How many inputs an operation takes.
    static func inputCounts(of operation: Operator) -> (fewest: Int, most: Int) {
        switch operation {
        case .convolution: (2, 3)
        case .batchNormalization: (5, 5)
        case .clip: (1, 3)
        case .parametricRelu, .arithmetic, .matMul, .equal, .expand, .gather, .reshape, .unsqueeze: (2, 2)
        case .gemm: (2, 3)
        case .reduceMean, .squeeze, .split: (1, 2)
        case .sum, .concat: (1, Int.max)
        case .slice: (3, 5)
        case .pad: (2, 4)
        case .select: (3, 3)
        case .quantizeLinear, .dequantizeLinear: (2, 3)
        case .quantizedConvolution: (8, 9)
        case .quantizedMatMul: (8, 8)
        case .integerConvolution, .integerMatMul: (2, 4)
        case .dropout: (1, 3)
        case .activation, .maxPool, .averagePool, .globalAveragePool, .globalMaxPool, .flatten, .transpose, .softmax,
            .localResponseNormalization, .identity, .constantOfShape, .shape, .cast, .dynamicQuantizeLinear:
            (1, 1)
        }
    }

    private static func largestOutputCount(of operation: Operator) -> Int {
        switch operation {
        case .split: Int.max
        case .dropout: 2
        case .dynamicQuantizeLinear: 3
        default: 1
        }
    }
}
