import MartletTensors

/// The ways in which a safetensors file can be wrong.
public enum SafetensorsError: MartletError, Equatable {
    /// The file ends before its header does, or the header is absurdly long.
    case headerLength(file: String)
    /// The header is not the JSON object the format asks for.
    case header(file: String, reason: String)
    /// A tensor of a type Martlet does not hold.
    case elementType(file: String, tensor: String, type: String)
    /// A tensor whose shape and bytes contradict each other.
    case tensor(file: String, tensor: String, reason: String)
    /// Tensors that overlap, leave a gap, or end elsewhere than the file.
    case layout(file: String, reason: String)
    /// A tensor that should be there and is not.
    case missing(file: String, tensor: String)

    public var description: String {
        switch self {
        case .headerLength(let file): "\(file) is not a safetensors file: its header does not fit in it"
        case .header(let file, let reason): "\(file): the safetensors header is wrong: \(reason)"
        case .elementType(let file, let tensor, let type): "\(file): tensor '\(tensor)' is of type \(type)"
        case .tensor(let file, let tensor, let reason): "\(file): tensor '\(tensor)': \(reason)"
        case .layout(let file, let reason): "\(file): \(reason)"
        case .missing(let file, let tensor): "\(file) has no tensor '\(tensor)'"
        }
    }

    public var remedy: String? { "make the file again, or check that it was copied whole" }
}
