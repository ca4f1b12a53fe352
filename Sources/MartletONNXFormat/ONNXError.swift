import MartletTensors

/// What can be wrong with an ONNX file.
public enum ONNXError: MartletError, Equatable {
    /// The bytes are not an ONNX model.
    case malformed(file: String, reason: String)
    /// A tensor that contradicts itself.
    case invalidTensor(file: String, tensor: String, reason: String)
    /// A node with an attribute that makes no sense.
    case invalidNode(file: String, node: String, reason: String)
    /// Everything in the file that Martlet does not support, at once.
    case unsupported(file: String, items: [String])
    /// External data outside the model's folder, or not where it should be.
    case externalData(file: String, tensor: String, reason: String)
    /// A network that ONNX cannot express.
    case cannotExpress(node: String, reason: String)

    public var description: String {
        switch self {
        case .malformed(let file, let reason): "\(file): \(reason)"
        case .invalidTensor(let file, let tensor, let reason): "\(file): tensor '\(tensor)': \(reason)"
        case .invalidNode(let file, let node, let reason): "\(file): node \(node): \(reason)"
        case .unsupported(let file, let items):
            "\(file) has \(items.count) \(items.count == 1 ? "item" : "items") that Martlet does not support:\n"
                + items.map { "  \($0)" }.joined(separator: "\n")
        case .externalData(let file, let tensor, let reason): "\(file): external data of tensor '\(tensor)': \(reason)"
        case .cannotExpress(let node, let reason): "node \(node) cannot be written as ONNX: \(reason)"
        }
    }

    public var remedy: String? {
        switch self {
        case .malformed: "export the network to ONNX again, or check that the file was copied whole"
        case .externalData: "keep the data file in the folder of the model, under the name the model states"
        default: nil
        }
    }
}
