import MartletTensors

/// What can be wrong with the instruction set that the environment names.
public enum InstructionSetError: MartletError, Equatable {
    /// A name that is no instruction set.
    case unknown(String)
    /// One that this processor or operating system does not have.
    case unsupported(InstructionSet)

    public var description: String {
        switch self {
        case .unknown(let name):
            "\(InstructionSet.environmentVariable) names the instruction set \"\(name)\", which is none"
        case .unsupported(let set):
            "\(InstructionSet.environmentVariable) names the instruction set \(set), which this machine does not have"
        }
    }

    public var remedy: String? {
        let names = InstructionSet.allCases.filter(\.isSupported).map(\.rawValue).joined(separator: ", ")
        return "Unset it for the best, or set it to one of: \(names)."
    }
}
