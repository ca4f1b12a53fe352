import MartletTensors

/// What can be wrong with a request to compress.
public enum CompressionError: MartletError, Equatable {
    /// The method wants statistics and there are none.
    case needsStatistics(method: String)
    /// A ratio outside 0 ... 1.
    case ratioOutOfRange(Double)
    /// A file of ranks that is not one.
    case ranksFile(file: String, reason: String)
    /// A file of overrides that is not one.
    case overridesFile(file: String, reason: String)
    /// Ranks or overrides for a layer that the network does not have, or that is not compressed this way.
    case unknownLayer(name: String, known: [String])
    /// A method that is asked for where it cannot be used.
    case methodNotForLayer(method: String, kind: String)
    /// Ranks that a layer cannot have.
    case rankOutOfRange(layer: String, ranks: [Int], maximum: [Int])

    public var description: String {
        switch self {
        case .needsStatistics(let method): "the method \(method) needs statistics of the layers' inputs"
        case .ratioOutOfRange(let ratio): "a VBMF ratio of \(ratio) is outside 0 to 1"
        case .ranksFile(let file, let reason): "\(file): \(reason)"
        case .overridesFile(let file, let reason): "\(file): \(reason)"
        case .unknownLayer(let name, _): "there is no layer '\(name)' to compress"
        case .methodNotForLayer(let method, let kind): "the method \(method) is not for \(kind) layers"
        case .rankOutOfRange(let layer, let ranks, let maximum):
            "the ranks \(ranks) of layer '\(layer)' are not \(maximum.count) of 1 to \(maximum)"
        }
    }

    public var remedy: String? {
        switch self {
        case .needsStatistics: "give images with --images or gathered statistics with --sigma"
        case .ratioOutOfRange: "0 keeps every rank whole, 1 takes the ranks VBMF estimates; 0.5 is a good start"
        case .ranksFile:
            "it should map layer names to output and input rank, {\"conv1\": [40, 24]}, or one rank, {\"conv1\": [120]}"
        case .overridesFile:
            "it should look like {\"conv1\": {\"method\": \"cp-als-sigma\", \"ranks\": [120]}, \"layer4*\": {\"method\": "
                + "\"keep\"}}"
        case .methodNotForLayer:
            "--conv takes the methods for convolutions, --pointwise and --linear take svd and svd-sigma"
        case .unknownLayer(_, let known):
            known.isEmpty ? nil : "the layers are " + known.prefix(40).joined(separator: ", ")
        case .rankOutOfRange: nil
        }
    }
}
