import MartletCompression
import MartletDecompositions

/// A way to compress, as a sweep compares them.
public enum SweepMethod: Sendable, Equatable {
    /// All methods together, each layer with what suits it.
    case best
    /// All but CP, whose fits take minutes.
    case quick
    /// Tucker2-ALS-Sigma with VBMF's ranks.
    case paper
    /// One method for the layers that it is for, with ranks chosen as in ``best``; other layers stay.
    case only(DecompositionMethod)

    /// `best`, `quick`, `paper`, or the name of a method whose errors are known before it is fitted.
    public init?(name: String) {
        switch name {
        case "best": self = .best
        case "quick": self = .quick
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
        case .quick: "quick"
        case .paper: "paper"
        case .only(let method): method.rawValue
        }
    }

    /// The names there are.
    public static var names: [String] {
        ["best", "quick", "paper"] + DecompositionMethod.allCases.filter(\.hasRankErrors).map(\.rawValue)
    }

    /// The flags of `martlet compress` that mean this.
    var flags: String {
        switch self {
        case .best: ""
        case .quick: " --methods quick"
        case .paper: " --recipe paper"
        case .only(let method): " --methods \(method.rawValue)"
        }
    }

    /// Whether a way to decompose is part of this one.
    func includes(_ method: DecompositionMethod) -> Bool {
        switch self {
        case .best: true
        case .quick: method.form != .canonicalPolyadic
        case .paper: false
        case .only(let only): method == only
        }
    }

    /// The part of the options that this method has.
    func part(of options: [LayerOptions]) -> [LayerOptions] {
        options.map { options in
            var result = options
            result.candidates.removeAll { !includes($0.method) }
            if result.candidates.isEmpty, result.kept == nil { result.kept = "not for \(name)" }
            return result
        }
    }
}
