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

    /// What is left out has the usual value: in the file of a small network the attributes would be a hundredth of the whole.
    func window(_ window: Window, hasDilations: Bool = true) -> [AttributeProto] {
        var attributes = [integers("kernel_shape", window.kernel)]
        if window.strides.contains(where: { $0 != 1 }) { attributes.append(integers("strides", window.strides)) }
        if hasDilations, window.dilations.contains(where: { $0 != 1 }) {
            attributes.append(integers("dilations", window.dilations))
        }
        switch explicitPadding(window) {
        case .explicit(let before, let after):
            if (before + after).contains(where: { $0 != 0 }) { attributes.append(integers("pads", before + after)) }
        case .sameUpper: attributes.append(string("auto_pad", "SAME_UPPER"))
        case .sameLower: attributes.append(string("auto_pad", "SAME_LOWER"))
        case .valid: attributes.append(string("auto_pad", "VALID"))
        }
        return attributes
    }

    /// The padding in numbers where "as much as keeps the extent" is the same for every extent and a runtime may not do it
    /// by name: ONNX Runtime wants numbers where the window is dilated.
    private func explicitPadding(_ window: Window) -> Window.Padding {
        guard window.padding == .sameUpper || window.padding == .sameLower,
            window.dilations.contains(where: { $0 != 1 }), window.strides.allSatisfy({ $0 == 1 })
        else { return window.padding }
        // With a stride of 1 the border is the span of the window less one, whatever it slides over.
        let borders = (0..<window.rank).map { window.border(axis: $0, extent: 1) }
        return .explicit(before: borders.map(\.before), after: borders.map(\.after))
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
