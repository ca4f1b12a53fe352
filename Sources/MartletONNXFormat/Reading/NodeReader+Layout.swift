import MartletNetworks
import MartletTensors

extension NodeReader {
    mutating func layout(_ tensors: TensorReader) throws -> Operator {
        switch proto.opType {
        case "Concat": return .concat(axis: try attributes.integer("axis", default: 1))
        case "Split": return try split()
        case "Flatten": return .flatten(axis: try attributes.integer("axis", default: 1))
        case "Reshape": return .reshape(allowsZero: try attributes.flag("allowzero"))
        case "Transpose": return .transpose(permutation: try attributes.integers("perm"))
        case "Squeeze":
            if opset < 13 { try append(try attributes.integers("axes"), at: 1, called: "axes") }
            return .squeeze
        case "Unsqueeze":
            if opset < 13 { try append(try attributes.integers("axes"), at: 1, called: "axes") }
            return .unsqueeze
        case "Dropout": return try dropout()
        case "Identity": return .identity
        case "ConstantOfShape": return try constantOfShape(tensors)
        case "Shape":
            let start = try attributes.integer("start", default: 0)
            return .shape(start: start, end: try attributes.optionalInteger("end"))
        case "Gather": return .gather(axis: try attributes.integer("axis", default: 0))
        case "Slice": return try slice()
        case "Cast": return try cast()
        case "Pad": return try pad()
        case "Expand": return .expand
        default: throw AttributeReader.Defect.unsupported("operator \(proto.opType)")
        }
    }

    private mutating func split() throws -> Operator {
        let axis = try attributes.integer("axis", default: 0)
        if opset < 13 { try append(try attributes.integers("split"), at: 1, called: "sizes") }
        if opset >= 18, let count = try attributes.optionalInteger("num_outputs"), count != proto.output.count {
            throw AttributeReader.Defect.invalid("num_outputs is \(count) for \(proto.output.count) outputs")
        }
        return .split(axis: axis)
    }

    private mutating func dropout() throws -> Operator {
        attributes.ignore("ratio", "seed", "consumed_inputs", "is_test")
        if inputs.count > 2, let training = inputs[2] {
            guard let tensor = known[training], tensor.elementType == .bool,
                tensor.withElements(of: Bool.self, { !$0.contains(true) })
            else { throw AttributeReader.Defect.unsupported("dropout in training mode") }
        }
        // Neither the ratio nor the mode matters any more.
        inputs = Array(inputs.prefix(1))
        return .dropout
    }

    private mutating func constantOfShape(_ tensors: TensorReader) throws -> Operator {
        guard let proto = try attributes.tensor("value") else {
            return .constantOfShape(value: try Tensor([0 as Float], shape: [1]))
        }
        return .constantOfShape(value: try tensors.tensor(proto))
    }

    private mutating func slice() throws -> Operator {
        if opset < 10 {
            guard let starts = try attributes.integers("starts"), let ends = try attributes.integers("ends") else {
                throw AttributeReader.Defect.invalid("it has no starts or ends")
            }
            try append(starts, at: 1, called: "starts")
            try append(ends, at: 2, called: "ends")
            try append(try attributes.integers("axes"), at: 3, called: "axes")
        }
        return .slice
    }

    private mutating func cast() throws -> Operator {
        attributes.ignore("saturate", "round_mode")
        let number = try attributes.integer("to", default: 0)
        guard let number = Int32(exactly: number), let type = ElementType(onnx: number) else {
            throw AttributeReader.Defect.unsupported(
                "a cast to \(ElementType.name(onnx: Int32(clamping: number)))")
        }
        return .cast(to: type)
    }

    private mutating func pad() throws -> Operator {
        let name = try attributes.string("mode", default: "constant")
        guard let mode = PadMode(rawValue: name) else { throw AttributeReader.Defect.unsupported("pad mode '\(name)'") }
        if opset < 11 {
            let pads = try attributes.integers("pads")
            guard let pads = try pads ?? attributes.integers("paddings") else {
                throw AttributeReader.Defect.invalid("it has no pads")
            }
            try append(pads, at: 1, called: "pads")
            try append(
                try Tensor([try attributes.float("value", default: 0)], shape: []), at: 2, called: "value")
        }
        return .pad(mode)
    }

    mutating func readConstant(_ tensors: TensorReader) throws {
        guard let name = proto.output.first, !name.isEmpty, proto.output.count == 1 else {
            throw AttributeReader.Defect.invalid("it has \(proto.output.count) outputs")
        }
        if let proto = try attributes.tensor("value") {
            constants[name] = try tensors.tensor(proto)
        } else if let value = try attributes.optionalFloat("value_float") {
            constants[name] = try Tensor([value], shape: [])
        } else if let values = try attributes.floats("value_floats") {
            constants[name] = try Tensor(values, shape: try Shape([values.count]))
        } else if let value = try attributes.optionalInteger("value_int") {
            constants[name] = try Tensor([Int64(value)], shape: [])
        } else if let values = try attributes.integers("value_ints") {
            constants[name] = try Tensor(values.map { Int64($0) }, shape: try Shape([values.count]))
        } else {
            throw AttributeReader.Defect.unsupported("a constant that is sparse or text")
        }
    }
}
