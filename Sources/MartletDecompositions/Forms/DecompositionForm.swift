import MartletLinearAlgebra
import MartletParallelism
import MartletTensors

/// What a kernel `[T, S, h, w]` is taken apart into.
public enum DecompositionForm: Sendable, Equatable {
    /// 1x1, `h x w`, 1x1: ``Tucker2``.
    case tucker2
    /// 1x1, depthwise `h x 1`, depthwise `1 x w`, 1x1: ``CanonicalPolyadic``.
    case canonicalPolyadic
    /// Two matrices: ``LowRank``.
    case lowRank
    /// `h x 1` and `1 x w`: ``SpatialSplit``.
    case spatial

    /// What the ranks are called, in the order in which they are given.
    public var rankNames: [String] { self == .tucker2 ? ["output", "input"] : ["rank"] }

    /// The names of the layers, in the order in which they run.
    public var layerNames: [String] {
        switch self {
        case .tucker2: ["input_factor", "core", "output_factor"]
        case .canonicalPolyadic: ["input_factor", "row_factor", "column_factor", "output_factor"]
        case .lowRank: ["right_factor", "left_factor"]
        case .spatial: ["row_factor", "column_factor"]
        }
    }

    /// The largest ranks that mean anything: at them every kernel of `shape` `[T, S, h, w]` is represented exactly.
    public func maximumRanks(of shape: [Int]) -> [Int] {
        switch self {
        case .tucker2: [shape[0], shape[1]]
        // One mode spans the rest.
        case .canonicalPolyadic: [shape.reduce(1, *) / (shape.max() ?? 1)]
        case .lowRank: [min(shape[0], shape[1] * shape[2] * shape[3])]
        case .spatial: [min(shape[0] * shape[3], shape[1] * shape[2])]
        }
    }

    /// `R_max` of the paper's equation 2, from which a VBMF ratio starts: `T` and `S` for Tucker-2, and for the forms
    /// with one rank the largest that does not take more weights than the kernel.
    public func startingRanks(of shape: [Int]) -> [Int] {
        let maximum = maximumRanks(of: shape)
        if self == .tucker2 { return maximum }
        return [max(1, min(maximum[0], shape.reduce(1, *) / parameterCount(of: shape, ranks: [1])))]
    }

    /// The number of weights of a kernel of `shape` `[T, S, h, w]` at these ranks.
    public func parameterCount(of shape: [Int], ranks: [Int]) -> Int {
        let (outputs, inputs, height, width) = (shape[0], shape[1], shape[2], shape[3])
        switch self {
        case .tucker2:
            return outputs * ranks[0] + inputs * ranks[1] + ranks[0] * ranks[1] * height * width
        case .canonicalPolyadic:
            // A window of one tap needs no layer.
            return ranks[0] * (outputs + inputs + (height > 1 ? height : 0) + (width > 1 ? width : 0))
        case .lowRank: return ranks[0] * (outputs + inputs * height * width)
        case .spatial: return ranks[0] * (outputs * width + inputs * height)
        }
    }

    /// Checks ranks that somebody asks for.
    /// - Throws: ``DecompositionError/rankCount(expected:found:)``, ``DecompositionError/rankOutOfRange(mode:rank:maximum:)``.
    public func check(ranks: [Int], of shape: [Int]) throws(DecompositionError) {
        let names = rankNames
        guard ranks.count == names.count else { throw .rankCount(expected: names.count, found: ranks.count) }
        for ((name, rank), maximum) in zip(zip(names, ranks), maximumRanks(of: shape))
        where !(1...maximum).contains(rank) {
            throw .rankOutOfRange(mode: name, rank: rank, maximum: maximum)
        }
    }
}
