import Foundation
import MartletNetworks
import MartletTensors

extension NodeWriter {
    func node(
        _ type: String, _ name: String, _ inputs: [String?], _ outputs: [String?], _ attributes: [AttributeProto] = []
    ) -> NodeProto {
        var proto = NodeProto()
        proto.opType = type
        proto.name = name
        proto.input = inputs.map { $0 ?? "" }
        while proto.input.last == "" { proto.input.removeLast() }
        proto.output = outputs.map { $0 ?? "" }
        proto.attribute = attributes
        return proto
    }

    func window(_ window: Window, hasDilations: Bool = true) -> [AttributeProto] {
        var attributes = [integers("kernel_shape", window.kernel), integers("strides", window.strides)]
        if hasDilations { attributes.append(integers("dilations", window.dilations)) }
        switch window.padding {
        case .explicit(let before, let after): attributes.append(integers("pads", before + after))
        case .sameUpper: attributes.append(string("auto_pad", "SAME_UPPER"))
        case .sameLower: attributes.append(string("auto_pad", "SAME_LOWER"))
        case .valid: attributes.append(string("auto_pad", "VALID"))
        }
        return attributes
    }

    func integer(_ name: String, _ value: Int) -> AttributeProto {
        attribute(name, .int) { $0.i = Int64(value) }
    }

    func float(_ name: String, _ value: Float) -> AttributeProto {
        attribute(name, .float) { $0.f = value }
    }

    func integers(_ name: String, _ values: [Int]) -> AttributeProto {
        attribute(name, .ints) { $0.ints = values.map { Int64($0) } }
    }

    func string(_ name: String, _ value: String) -> AttributeProto {
        attribute(name, .string) { $0.s = Data(value.utf8) }
    }

    func tensor(_ name: String, _ value: Tensor) -> AttributeProto {
        attribute(name, .tensor) { $0.t = TensorProto(value, name: "") }
    }

    private func attribute(
        _ name: String, _ type: AttributeProto.AttributeType, _ fill: (inout AttributeProto) -> Void
    ) -> AttributeProto {
        var proto = AttributeProto()
        proto.name = name
        proto.type = type
        fill(&proto)
        return proto
    }
}

extension TensorProto {
    /// A tensor in its raw form.
    init(_ tensor: Tensor, name: String) {
        self.init()
        if !name.isEmpty { self.name = name }
        dims = tensor.shape.extents.map { Int64($0) }
        dataType = tensor.elementType.onnx
        rawData = tensor.withUnsafeBytes { Data($0) }
    }
}
