import MartletTensors

/// What can be wrong with a request to compress.
public enum CompressionError: MartletError, Equatable {
    /// The method wants statistics and there are none.
    case needsStatistics(method: String)
    /// Statistics of gradients are wanted and there are none.
    case needsGradients(purpose: String)
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
    /// A text that is no budget.
    case budgetText(String)
    /// A budget that no choice of ranks meets: the least and the most that there is, in the budget's unit.
    case budgetOutOfReach(budget: String, least: String, most: String)
    /// A budget between two neighbouring sizes that one VBMF ratio for all layers gives, in parts of the original.
    case budgetBetweenRatios(budget: String, below: String, above: String)
    /// A budget of latency that the clock was not near for any network tried; the nearest, in parts of the original's time.
    case latencyNotMet(budget: String, nearest: String)
    /// A file of weights that is not one.
    case weightsFile(file: String, reason: String)
    /// Something that only images can tell, and there are none.
    case needsImages(purpose: String)
    /// A latency where nothing is timed.
    case needsTiming
    /// Ranks that a layer cannot have.
    case rankOutOfRange(layer: String, ranks: [Int], maximum: [Int])

    public var description: String {
        switch self {
        case .needsStatistics(let method): "the method \(method) needs statistics of the layers' inputs"
        case .needsGradients(let purpose): "\(purpose) needs statistics of gradients"
        case .ratioOutOfRange(let ratio): "a VBMF ratio of \(ratio) is outside 0 to 1"
        case .ranksFile(let file, let reason): "\(file): \(reason)"
        case .overridesFile(let file, let reason): "\(file): \(reason)"
        case .unknownLayer(let name, _): "there is no layer '\(name)' to compress"
        case .methodNotForLayer(let method, let kind): "the method \(method) is not for \(kind) layers"
        case .budgetText(let text): "'\(text)' is not a budget"
        case .budgetOutOfReach(let budget, let least, let most):
            "the budget \(budget) is out of reach: from \(least) to \(most) is possible"
        case .budgetBetweenRatios(let budget, let below, let above):
            "the budget \(budget) cannot be met by one VBMF ratio for all layers: \(below) is possible, and next \(above)"
        case .latencyNotMet(let budget, let nearest):
            "the budget \(budget) was not met: the nearest network tried takes \(nearest) of the original's time here"
        case .weightsFile(let file, let reason): "\(file): \(reason)"
        case .needsTiming: "a budget of latency needs the layers to be timed"
        case .needsImages(let purpose): "\(purpose) needs images"
        case .rankOutOfRange(let layer, let ranks, let maximum):
            "the ranks \(ranks) of layer '\(layer)' are not \(maximum.count) of 1 to \(maximum)"
        }
    }

    public var remedy: String? {
        switch self {
        case .needsStatistics: "give images with --images or gathered statistics with --sigma"
        case .needsGradients: "gather them with `martlet gradients` and give the file with --gradients"
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
        case .budgetText:
            "params=0.5, macs=0.5, bytes=6MB, latency=0.6 or latency=3ms, or drop=1%: parts of the original, or amounts"
        case .budgetOutOfReach: "ask for something between, or let more layers be compressed"
        case .latencyNotMet: "ask for nearer that, let more layers be compressed, or try when less else runs here"
        case .budgetBetweenRatios: "ask for one of these; without --recipe paper each layer has ranks of its own"
        case .weightsFile: "it should map layer names to positive numbers, {\"conv1\": 0.3}"
        case .needsImages: "give them with --images"
        case .needsTiming, .rankOutOfRange: nil
        }
    }
}
