import MartletTensors

/// What can be wrong with a `.npy` file.
public enum NumPyError: MartletError, Equatable {
    /// The bytes are not a `.npy` file, or its header is damaged.
    case malformed(file: String, reason: String)
    /// A valid file of a kind Martlet does not read.
    case unsupported(file: String, reason: String)

    public var description: String {
        switch self {
        case .malformed(let file, let reason): "\(file) is not a NumPy array file: \(reason)"
        case .unsupported(let file, let reason): "\(file): \(reason)"
        }
    }

    public var remedy: String? { "save the array with numpy.save, in C order" }
}
