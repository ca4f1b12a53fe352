import Foundation
import MartletFiles
import MartletNetworks
import MartletTensors
import SwiftProtobuf

/// Writes networks as ONNX files.
public enum ONNXWriter {
    /// The opset written unless a node needs a newer one: old enough for every runtime in use.
    public static let usualOpset = 17

    /// A protobuf message holds less than this.
    private static let largestFile = Int(Int32.max)

    /// Writes a network to the file at `path`, which appears whole or not at all.
    /// - Throws: ``ONNXError/cannotExpress(node:reason:)``, ``FileError``.
    public static func write(_ network: Network, to path: String) throws {
        let bytes = try self.bytes(of: network)
        try OutputFile.create(at: path) { file in try bytes.withUnsafeBytes { try file.write($0) } }
    }

    /// A network as the bytes of an ONNX file; the same network gives the same bytes.
    /// - Throws: ``ONNXError/cannotExpress(node:reason:)``.
    public static func bytes(of network: Network) throws -> Data {
        let size = network.constants.values.reduce(0) { $0 + $1.byteCount }
        if size >= largestFile {
            throw ONNXError.cannotExpress(node: network.name, reason: "\(size) bytes of weights exceed what ONNX holds")
        }
        let opset = network.nodes.reduce(usualOpset) {
            max($0, NodeWriter.neededOpset(for: $1, constants: network.constants))
        }
        var writer = NodeWriter(network: network, opset: opset)
        var model = ModelProto()
        model.irVersion = opset < 19 ? 8 : opset < 21 ? 9 : 10
        model.producerName = "martlet"
        var operators = OperatorSetIdProto()
        operators.domain = ""
        operators.version = Int64(opset)
        model.opsetImport = [operators]
        if !network.documentation.isEmpty { model.docString = network.documentation }
        model.metadataProps = network.metadata.map { property in
            var proto = StringStringEntryProto()
            proto.key = property.key
            proto.value = property.value
            return proto
        }
        var graph = GraphProto()
        // The checker wants a name.
        graph.name = network.name.isEmpty ? "network" : network.name
        graph.node = try network.nodes.flatMap { try writer.protos(for: $0) }
        graph.input = network.inputs.map(ValueInfoProto.init)
        graph.output = network.outputs.map(ValueInfoProto.init)
        // In the order of their first use, so that the bytes do not depend on a dictionary's.
        var written: Set<String> = []
        for name in graph.node.flatMap(\.input) + network.outputs.map(\.name) where written.insert(name).inserted {
            if let tensor = network.constants[name] { graph.initializer.append(TensorProto(tensor, name: name)) }
        }
        graph.initializer += writer.added.map { TensorProto($0.tensor, name: $0.name) }
        model.graph = graph
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return try model.serializedBytes(options: options)
    }
}

extension ValueInfoProto {
    init(_ value: Network.Value) {
        self.init()
        name = value.name
        var tensor = TypeProto.Tensor()
        tensor.elemType = value.type.elementType.onnx
        tensor.shape = TensorShapeProto()
        tensor.shape.dim = value.type.dimensions.map { dimension in
            var proto = TensorShapeProto.Dimension()
            switch dimension {
            case .fixed(let extent): proto.dimValue = Int64(extent)
            case .symbol(let name): proto.dimParam = name
            case .unknown: break
            }
            return proto
        }
        var type = TypeProto()
        type.tensorType = tensor
        self.type = type
    }
}
