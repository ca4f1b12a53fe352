import MartletTensors

/// What can be wrong with a network as a value, whatever file it came from.
public enum NetworkError: MartletError, Equatable {
    /// A node whose inputs, attributes or shapes contradict its operator.
    case invalidNode(node: String, reason: String)
    /// An input of a node, or an output of the network, that nothing produces.
    case undefinedValue(name: String, user: String)
    /// Two nodes, inputs or constants of one name.
    case duplicateValue(name: String)
    /// Nodes that wait for each other.
    case cycle(nodes: [String])
    /// Something valid that Martlet does not do.
    case unsupported(node: String, reason: String)
    /// An input that is not what the network declares.
    case inputMismatch(name: String, expected: String, found: String)

    public var description: String {
        switch self {
        case .invalidNode(let node, let reason): "node \(node): \(reason)"
        case .undefinedValue(let name, let user): "\(user) reads '\(name)', which nothing produces"
        case .duplicateValue(let name): "the value '\(name)' is defined more than once"
        case .cycle(let nodes): "these nodes wait for each other: \(nodes.joined(separator: ", "))"
        case .unsupported(let node, let reason): "node \(node): \(reason)"
        case .inputMismatch(let name, let expected, let found):
            "input '\(name)' is \(found) where the network wants \(expected)"
        }
    }
}
