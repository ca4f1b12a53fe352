import MartletCompression
import MartletDecompositions

/// A way to compress, as a sweep compares them.
public enum SweepMethod: Sendable, Equatable {
    /// All methods together, each layer with what suits it.
    case best
    /// Tucker2-ALS-Sigma with VBMF's ranks.
    case paper
    /// One method for the layers that it is for, with ranks chosen as in ``best``; other layers stay.
    case only(DecompositionMethod)

    /// `best`, `paper`, or the name of a method whose errors are known before it is fitted.
    public init?(name: String) {
        switch name {
        case "best": self = .best
        case "paper": self = .paper
        default:
            guard let method = DecompositionMethod(rawValue: name), method.hasRankErrors else { return nil }
            self = .only(method)
        }
    }

    /// As ``init(name:)`` reads it.
    public var name: String {
        switch self {
        case .best: "best"
        case .paper: "paper"
        case .only(let method): method.rawValue
        }
    }

    /// The names there are.
    public static var names: [String] {
        ["best", "paper"] + DecompositionMethod.allCases.filter(\.hasRankErrors).map(\.rawValue)
    }

    /// The flags of `martlet compress` that mean this.
    var flags: String {
        switch self {
        case .best: ""
        case .paper: " --recipe paper"
        case .only(let method): " --methods \(method.rawValue)"
        }
    }

    /// The part of the options that this method has.
    func part(of options: [LayerOptions]) -> [LayerOptions] {
        guard case .only(let method) = self else { return options }
        return options.map { options in
            var result = options
            result.candidates.removeAll { $0.method != method }
            if result.candidates.isEmpty, result.kept == nil { result.kept = "not for \(method.rawValue)" }
            return result
        }
    }
}
