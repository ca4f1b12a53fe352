import MartletTensors

/// What can go wrong between Martlet and the disk.
public enum FileError: MartletError, Equatable {
    /// The file or folder could not be opened or read.
    case cannotRead(path: String, reason: String)
    /// The output could not be written. Nothing of it remains.
    case cannotWrite(path: String, reason: String)

    public var description: String {
        switch self {
        case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)"
        }
    }

    public var remedy: String? {
        switch self {
        case .cannotRead: nil
        case .cannotWrite(let path, _):
            "nothing was left behind; a file that stood at \(path) before is still the old one"
        }
    }
}
