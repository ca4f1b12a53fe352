import Foundation
import MartletFiles
import MartletNetworks
import MartletTensors
import SwiftProtobuf

/// Reads networks from ONNX files.
public enum ONNXReader {
    /// The opsets Martlet reads. Files of opset 6 are read where their operators mean the same as in opset 7, older ones
    /// where all their operators had not changed by then.
    public static let opsets = 1...21

    /// Operators that opset 1 had as opset 6 has them.
    static let operatorsOfTheFirstOpset: Set<String> = [
        "AveragePool", "Constant", "Conv", "Flatten", "GlobalAveragePool", "GlobalMaxPool", "LRN", "LogSoftmax",
        "MatMul",
        "MaxPool", "ReduceMean", "Softmax", "Transpose",
    ]

    /// The network in the file at `path`, as it stands there: nothing is folded or dropped but `Constant` nodes, which
    /// become constants.
    /// - Throws: ``ONNXError``, ``FileError``, ``NetworkError``. What is not supported comes as one error that lists it all.
    public static func read(path: String) throws -> Network {
        let mapped = try MappedFile(path: path)
        // The file's weights and their copies need not be in memory together.
        return try mapped.withUnsafeBytes { try read(bytes: $0, file: path) { mapped.letGo(of: $0) } }
    }

    /// The network in `bytes`; `file` is what to call it in messages and where external data are looked for.
    /// - Throws: ``ONNXError``, ``NetworkError``.
    public static func read(bytes: UnsafeRawBufferPointer, file: String) throws -> Network {
        try read(bytes: bytes, file: file) { _ in }
    }

    /// Calls `isRead` with parts of `bytes` that are not needed any more.
    private static func read(
        bytes: UnsafeRawBufferPointer, file: String, isRead: (UnsafeRawBufferPointer) -> Void
    ) throws -> Network {
        guard let base = bytes.baseAddress, !bytes.isEmpty else {
            throw ONNXError.malformed(file: file, reason: "the file is empty")
        }
        if let skeleton = try? ModelSkeleton(of: bytes) {
            var model = try parse(skeleton.model, file: file)
            return try network(
                &model, elements: skeleton.elements.mapValues { .init(rebasing: bytes[$0]) }, file: file, isRead: isRead
            )
        }
        var model = try parse(
            Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none),
            file: file)
        return try network(&model, elements: [:], file: file, isRead: isRead)
    }

    private static func parse(_ data: Data, file: String) throws -> ModelProto {
        let model: ModelProto
        do {
            model = try ModelProto(serializedBytes: data)
        } catch {
            throw ONNXError.malformed(file: file, reason: "this is not an ONNX file, or one cut short (\(error))")
        }
        guard model.hasGraph, !model.graph.output.isEmpty else {
            throw ONNXError.malformed(file: file, reason: "this is not an ONNX file: it holds no graph with an output")
        }
        return model
    }

    /// The network of a model, whose initialisers are let go of one by one as they become tensors. `elements` are those
    /// of initialisers that the model holds without them.
    private static func network(
        _ model: inout ModelProto, elements: [Int: UnsafeRawBufferPointer], file: String,
        isRead: (UnsafeRawBufferPointer) -> Void
    ) throws -> Network {
        let opset = try self.opset(model, file: file)
        var initializers = model.graph.initializer
        model.graph.initializer = []
        let graph = model.graph
        let tensors = TensorReader(file: file)
        var unsupported: [String] = []
        if !graph.sparseInitializer.isEmpty {
            unsupported.append("\(graph.sparseInitializer.count) sparse initialisers")
        }
        var constants: [String: Tensor] = [:]
        for index in initializers.indices {
            let proto = initializers[index]
            initializers[index] = TensorProto()
            do {
                if constants.updateValue(try tensors.tensor(proto, rawData: elements[index]), forKey: proto.name) != nil
                {
                    throw NetworkError.duplicateValue(name: proto.name)
                }
            } catch ONNXError.unsupported(_, let items) {
                unsupported += items
            }
            if let part = elements[index] { isRead(part) }
        }
        func values(_ protos: [ValueInfoProto], _ role: String) throws -> [Network.Value] {
            try protos.compactMap { proto in
                do {
                    return try value(proto, file: file)
                } catch ONNXError.unsupported(_, let items) {
                    unsupported += items.map { "\(role) \($0)" }
                    return nil
                }
            }
        }
        // Files of IR version 3 list initialisers among the inputs.
        let inputs = try values(graph.input.filter { constants[$0.name] == nil }, "input")
        let outputs = try values(graph.output, "output")
        var extents: [String: [Int]] = [:]
        for input in inputs { extents[input.name] = input.type.extents }
        var nodes: [Node] = []
        for proto in graph.node {
            do {
                let (node, added) = try node(
                    proto, opset: opset, known: constants, extents: extents, tensors)
                for (name, tensor) in added where constants.updateValue(tensor, forKey: name) != nil {
                    throw NetworkError.duplicateValue(name: name)
                }
                if let node {
                    nodes.append(node)
                    // A quantized weight is as large as what it stands for.
                    if case .dequantizeLinear = node.operation, let x = node.input(0), let y = node.outputs.first, let y
                    {
                        extents[y] = constants[x]?.shape.extents ?? extents[x]
                    }
                }
            } catch AttributeReader.Defect.unsupported(let reason) {
                unsupported.append("\(label(proto)): \(reason)")
            } catch AttributeReader.Defect.invalid(let reason) {
                throw ONNXError.invalidNode(file: file, node: label(proto), reason: reason)
            } catch ONNXError.unsupported(_, let items) {
                unsupported += items.map { "\(label(proto)): \($0)" }
            }
        }
        if !unsupported.isEmpty { throw ONNXError.unsupported(file: file, items: unsupported) }
        return try Network(
            name: graph.name, inputs: inputs, outputs: outputs, nodes: nodes, constants: constants,
            metadata: model.metadataProps.map { Network.Property(key: $0.key, value: $0.value) },
            documentation: model.docString
        ).validated()
    }

    /// A node and the constants that stand for its parameters. The constants so far are let go of before new ones are
    /// added, or the dictionary would be copied for every node.
    private static func node(
        _ proto: NodeProto, opset: Int, known: [String: Tensor], extents: [String: [Int]], _ tensors: TensorReader
    ) throws -> (node: Node?, constants: [String: Tensor]) {
        var reader = try NodeReader(proto, opset: opset, known: known, extents: extents)
        let node = try reader.read(tensors: tensors)
        return (node, reader.constants)
    }

    private static func opset(_ model: ModelProto, file: String) throws -> Int {
        // Files older than operator sets are of the first.
        let version =
            model.opsetImport.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }.map { Int($0.version) } ?? 1
        guard opsets.contains(version) else {
            throw ONNXError.unsupported(
                file: file,
                items: ["opset \(version): Martlet reads \(opsets.lowerBound) to \(opsets.upperBound)"])
        }
        return version
    }

    private static func value(_ proto: ValueInfoProto, file: String) throws -> Network.Value {
        guard !proto.name.isEmpty else { throw ONNXError.malformed(file: file, reason: "a value without a name") }
        guard case .tensorType(let tensor)? = proto.type.value else {
            throw ONNXError.unsupported(file: file, items: ["'\(proto.name)' is not a tensor"])
        }
        guard let type = ElementType(onnx: tensor.elemType) else {
            throw ONNXError.unsupported(
                file: file, items: ["'\(proto.name)': elements of \(ElementType.name(onnx: tensor.elemType))"])
        }
        let dimensions = try tensor.shape.dim.map { dimension -> Extent in
            switch dimension.value {
            case .dimValue(let value):
                guard value >= 0 else {
                    throw ONNXError.malformed(file: file, reason: "'\(proto.name)' has an extent of \(value)")
                }
                // Exporters of old wrote 0 for an extent that varies.
                return value == 0 ? .unknown : .fixed(Int(value))
            case .dimParam(let name): return name.isEmpty ? .unknown : .symbol(name)
            case nil: return .unknown
            }
        }
        return Network.Value(name: proto.name, type: TensorType(type, dimensions))
    }

    private static func label(_ proto: NodeProto) -> String {
        let name =
            proto.name.isEmpty ? proto.output.first { !$0.isEmpty }.map { "of '\($0)'" } ?? "" : "'\(proto.name)'"
        return "\(proto.opType) \(name)"
    }
}
