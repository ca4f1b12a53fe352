import Foundation
import MartletNetworks
import MartletTensors
import SwiftProtobuf

@testable import MartletONNXFormat

/// ONNX models made by hand, field by field, for what no exporter would write.
enum Models {
    static func node(
        _ type: String, _ inputs: [String], _ outputs: [String], _ attributes: [AttributeProto] = [],
        name: String = "", domain: String = ""
    ) -> NodeProto {
        var proto = NodeProto()
        proto.opType = type
        proto.input = inputs
        proto.output = outputs
        proto.attribute = attributes
        if !name.isEmpty { proto.name = name }
        if !domain.isEmpty { proto.domain = domain }
        return proto
    }

    static func attribute(_ name: String, _ type: AttributeProto.AttributeType) -> AttributeProto {
        var proto = AttributeProto()
        proto.name = name
        proto.type = type
        return proto
    }

    static func integer(_ name: String, _ value: Int64) -> AttributeProto {
        var proto = attribute(name, .int)
        proto.i = value
        return proto
    }

    static func integers(_ name: String, _ values: [Int64]) -> AttributeProto {
        var proto = attribute(name, .ints)
        proto.ints = values
        return proto
    }

    static func float(_ name: String, _ value: Float) -> AttributeProto {
        var proto = attribute(name, .float)
        proto.f = value
        return proto
    }

    static func string(_ name: String, _ value: String) -> AttributeProto {
        var proto = attribute(name, .string)
        proto.s = Data(value.utf8)
        return proto
    }

    static func tensor(_ name: String, _ value: TensorProto) -> AttributeProto {
        var proto = attribute(name, .tensor)
        proto.t = value
        return proto
    }

    /// A tensor without data.
    static func bare(_ name: String, _ type: Int32, _ dims: [Int64]) -> TensorProto {
        var proto = TensorProto()
        proto.name = name
        proto.dataType = type
        proto.dims = dims
        return proto
    }

    static func floats(_ name: String, _ dims: [Int64], _ values: [Float]) -> TensorProto {
        var proto = bare(name, 1, dims)
        proto.floatData = values
        return proto
    }

    static func integerTensor(_ name: String, _ values: [Int64], dims: [Int64]? = nil) -> TensorProto {
        var proto = bare(name, 7, dims ?? [Int64(values.count)])
        proto.int64Data = values
        return proto
    }

    /// `nil` in `dims` is an extent nobody states.
    static func value(_ name: String, _ dims: [Int64?], type: Int32 = 1) -> ValueInfoProto {
        var proto = ValueInfoProto()
        proto.name = name
        var tensor = TypeProto.Tensor()
        tensor.elemType = type
        tensor.shape = TensorShapeProto()
        tensor.shape.dim = dims.map { extent in
            var dimension = TensorShapeProto.Dimension()
            if let extent { dimension.dimValue = extent }
            return dimension
        }
        proto.type = TypeProto()
        proto.type.tensorType = tensor
        return proto
    }

    /// A model from `x` to `y`, unless told otherwise.
    static func model(
        _ nodes: [NodeProto], _ initializers: [TensorProto] = [], inputs: [ValueInfoProto]? = nil,
        outputs: [ValueInfoProto]? = nil, opset: Int64 = 17
    ) -> ModelProto {
        var graph = GraphProto()
        graph.name = "made by hand"
        graph.node = nodes
        graph.initializer = initializers
        graph.input = inputs ?? [value("x", [1, 2, 4, 4])]
        graph.output = outputs ?? [value("y", [nil, nil, nil, nil])]
        var model = ModelProto()
        model.irVersion = 8
        var operators = OperatorSetIdProto()
        operators.version = opset
        model.opsetImport = [operators]
        model.graph = graph
        return model
    }

    static func read(_ model: ModelProto) throws -> Network { try read(try model.serializedBytes() as Data) }

    static func read(_ data: Data) throws -> Network {
        try data.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "made.onnx") }
    }
}
