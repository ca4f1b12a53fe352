import MartletTensors

/// What can be wrong with statistics.
public enum StatisticsError: MartletError, Equatable {
    /// Statistics of another network than the one at hand.
    case otherNetwork(statistics: String, network: String)
    /// A file that is not one of Martlet's statistics.
    case notStatistics(file: String, reason: String)
    /// A layer without statistics.
    case missingLayer(name: String)
    /// A layer whose statistics do not fit its shape.
    case layerMismatch(name: String, expected: String, found: String)
    /// Inputs with NaN or infinity.
    case nonFinite(layer: String)
    /// No image was seen.
    case empty
    /// Statistics that do not go together.
    case cannotMerge(reason: String)
    /// An interrupted run that this one cannot go on with.
    case cannotResume(file: String, reason: String)
    /// Less memory than gathering takes.
    case memory(limit: Int, needed: Int)
    /// Stopping early where the layers are gathered in several passes.
    case untilInPasses(passes: Int)
    /// A part of the images that there is not.
    case shard(index: Int, count: Int, most: Int)

    public var description: String {
        switch self {
        case .otherNetwork(let statistics, let network):
            "these statistics are of the network \(statistics), not of \(network)"
        case .notStatistics(let file, let reason): "\(file) holds no layer statistics: \(reason)"
        case .missingLayer(let name): "there are no statistics of layer '\(name)'"
        case .layerMismatch(let name, let expected, let found):
            "the statistics of layer '\(name)' are \(found) where the layer wants \(expected)"
        case .nonFinite(let layer): "the input of layer '\(layer)' has NaN or infinite values"
        case .empty: "no image was seen"
        case .cannotMerge(let reason): "these statistics cannot be merged: \(reason)"
        case .cannotResume(let file, let reason): "cannot go on from \(file): \(reason)"
        case .memory(let limit, let needed):
            "gathering takes at least \(needed >> 20) MiB of memory, and \(limit >> 20) MiB are allowed"
        case .untilInPasses(let passes):
            "the memory allowed makes \(passes) passes of it, and only one pass can stop when Sigma has settled"
        case .shard(let index, let count, let most):
            "there is no shard \(index)/\(count): the images make \(most) \(most == 1 ? "shard" : "shards") at most"
        }
    }

    public var remedy: String? {
        switch self {
        case .otherNetwork, .missingLayer, .layerMismatch, .notStatistics:
            "gather them with `martlet sigma` on this very network"
        case .nonFinite: "check the preprocessing: mean, std and scale must be those the network was trained with"
        case .empty: nil
        case .cannotMerge: "gather them with the same network and preprocessing, each over other images"
        case .cannotResume: "start again without --resume"
        case .untilInPasses: "allow more memory, or leave out --until"
        case .memory: "allow more with --memory, or use smaller images"
        case .shard: "use as many shards or fewer, counted from 1"
        }
    }
}
