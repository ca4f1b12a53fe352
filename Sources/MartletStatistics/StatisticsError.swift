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
        }
    }

    public var remedy: String? {
        switch self {
        case .otherNetwork, .missingLayer, .layerMismatch, .notStatistics:
            "gather them with `martlet sigma` on this very network"
        case .nonFinite: "check the preprocessing: mean, std and scale must be those the network was trained with"
        case .empty: nil
        }
    }
}
