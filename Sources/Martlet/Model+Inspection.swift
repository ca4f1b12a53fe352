import MartletImages
import MartletNetworks
import MartletONNXFormat
import MartletTensors

/// What a network consists of.
public struct Inspection: Codable, Sendable {
    /// A value that goes in or comes out.
    public struct Value: Codable, Sendable {
        /// The name.
        public var name: String
        /// Element type and extents.
        public var type: String
    }

    /// One node.
    public struct Node: Codable, Sendable {
        /// The name.
        public var name: String
        /// What it computes, in a word.
        public var operation: String
        /// The type of what it computes.
        public var output: String
        /// Trained numbers.
        public var parameters: Int
        /// Multiply-adds on one image.
        public var multiplyAdds: Int
        /// Bytes of constants.
        public var bytes: Int

        enum CodingKeys: String, CodingKey {
            case name, operation, output, parameters, bytes
            case multiplyAdds = "macs"
        }
    }

    /// What the file holds of one element type.
    public struct Stored: Codable, Sendable {
        /// The type.
        public var type: String
        /// The tensors of it.
        public var tensors: Int
        /// Their bytes.
        public var bytes: Int
    }

    /// The network's name.
    public var name: String
    /// The file.
    public var path: String
    /// What goes in.
    public var inputs: [Value]
    /// What comes out.
    public var outputs: [Value]
    /// How images are prepared, if the file says.
    public var preprocessing: String?
    /// The nodes, in execution order.
    public var nodes: [Node]
    /// Trained numbers in all.
    public var parameters: Int
    /// Multiply-adds on one image in all.
    public var multiplyAdds: Int
    /// Bytes of constants in all.
    public var bytes: Int
    /// The constants as the file has them, by element type: half-precision weights are widened for running.
    public var stored: [Stored]

    enum CodingKeys: String, CodingKey {
        case name, path, inputs, outputs, preprocessing, nodes, parameters, bytes, stored
        case multiplyAdds = "macs"
    }
}

extension Model {
    /// What the network consists of, with costs for one image.
    /// - Throws: ``NetworkError``, and what reading the file again does.
    public func inspection() throws -> Inspection {
        let typed = try network.forOneImage()
        let costs = try typed.costs()
        let total = costs.reduce(Cost(), +)
        func value(_ value: Network.Value) -> Inspection.Value {
            Inspection.Value(name: value.name, type: "\(value.type)")
        }
        let nodes = zip(typed.network.nodes, costs).map { node, cost in
            Inspection.Node(
                name: node.name, operation: node.operation.title,
                output: node.outputs.first.flatMap { $0 }.flatMap { typed.types[$0] }.map { "\($0)" } ?? "",
                parameters: cost.parameters, multiplyAdds: cost.multiplyAdds, bytes: cost.bytes)
        }
        let preprocessing = try network[metadata: Model.preprocessingKey].map {
            "\(try Preprocessing(json: $0, source: "\(path)'s metadata"))"
        }
        return Inspection(
            name: network.name, path: path, inputs: network.inputs.map(value), outputs: network.outputs.map(value),
            preprocessing: preprocessing, nodes: nodes, parameters: total.parameters,
            multiplyAdds: total.multiplyAdds, bytes: total.bytes, stored: try stored())
    }

    private func stored() throws -> [Inspection.Stored] {
        let tensors = try ONNXReader.read(path: path).constants.values
        return ElementType.allCases.compactMap { type in
            let own = tensors.filter { $0.elementType == type }
            if own.isEmpty { return nil }
            return Inspection.Stored(
                type: type.description, tensors: own.count, bytes: own.reduce(0) { $0 + $1.byteCount })
        }
    }
}
