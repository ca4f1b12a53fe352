import MartletDecompositions

/// What became of each layer.
public struct CompressionReport: Codable, Sendable, Equatable {
    /// One layer.
    public struct Layer: Codable, Sendable, Equatable {
        /// The name.
        public var name: String
        /// The layers that this stands for, the one of that name first, where several were compressed as one (``JoinedNetwork``).
        public var joined: [String]?
        /// `[outputs, inputs / groups, kernel...]`.
        public var shape: [Int]
        /// Why the layer was left as it is; `nil` if it was replaced.
        public var kept: String?
        /// The method; `nil` if the layer was not one for any.
        public var method: DecompositionMethod?
        /// The ranks, in the order of ``DecompositionForm/rankNames``, of the replacement or of the one that would not
        /// have been smaller.
        public var ranks: [Int]?
        /// Trained numbers of weight and bias before.
        public var parametersBefore: Int
        /// And after.
        public var parametersAfter: Int
        /// Multiply-adds an image before.
        public var multiplyAddsBefore: Int
        /// And after.
        public var multiplyAddsAfter: Int
        /// `tr((W - V) Sigma (W - V)^T) / tr(W Sigma W^T)`: the squared relative error of the layer's output, bias aside.
        public var sigmaError: Double?
        /// `tr(Lambda (W - V) Sigma (W - V)^T) / tr(Lambda W Sigma W^T)`, where the complete norm was minimised.
        public var completeError: Double?
        /// `|W - V|^2 / |W|^2`.
        public var frobeniusError: Double?
        /// Sweeps of an alternating method; terms of a greedy one; 0 for a closed form.
        public var sweeps: Int?
        /// The squared relative error at the start and after each sweep, in the norm that was minimised, ridge included.
        public var trace: [Double]?
        /// Whether the sweeps ended because they gained no more.
        public var converged: Bool?
        /// For CP, ``CanonicalPolyadic/termEnergyRatio(pool:)``: how much the terms cancel each other.
        public var termEnergyRatio: Double?
        /// The errors from other starts, if they were asked for.
        public var seeds: Spread?
        /// Milliseconds an image before, measured on this machine, where that was asked for.
        public var millisecondsBefore: Double?
        /// And after, as predicted.
        public var millisecondsPredicted: Double?
        /// And after, as measured.
        public var millisecondsAfter: Double?
        /// How long it took.
        public var seconds = 0.0

        /// What to call it in a table: the name, and how many others it stands for.
        public var title: String { joined.map { "\(name) and \($0.count - 1) more" } ?? name }

        /// The error that a budget counts: in the complete norm where that was minimised, else in the Sigma norm.
        var countedError: Double? { completeError ?? sigmaError }

        /// How an error depends on the random start: squared, relative, in the norm that was minimised, ridge included.
        public struct Spread: Codable, Sendable, Equatable {
            /// The first seed; the others follow.
            public var firstSeed: UInt64
            /// The error of each.
            public var errors: [Double]

            enum CodingKeys: String, CodingKey {
                case errors
                case firstSeed = "first_seed"
            }

            /// The least, the middle and the largest error.
            public var range: (least: Double, median: Double, largest: Double) {
                let sorted = errors.sorted()
                guard let least = sorted.first, let largest = sorted.last else { return (.nan, .nan, .nan) }
                return (least, (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2, largest)
            }
        }

        enum CodingKeys: String, CodingKey {
            case name, joined, shape, kept, method, ranks, sweeps, trace, converged, seeds, seconds
            case termEnergyRatio = "term_energy_ratio"
            case parametersBefore = "parameters_before"
            case parametersAfter = "parameters_after"
            case multiplyAddsBefore = "macs_before"
            case multiplyAddsAfter = "macs_after"
            case sigmaError = "sigma_error"
            case completeError = "complete_error"
            case frobeniusError = "frobenius_error"
            case millisecondsBefore = "milliseconds_before"
            case millisecondsPredicted = "milliseconds_predicted"
            case millisecondsAfter = "milliseconds_after"
        }
    }

    /// The method for each kind of layer that was to be compressed, by ``LayerKind``'s raw value.
    public var methods: [String: DecompositionMethod]
    /// The VBMF ratio, if ranks came from one.
    public var vbmfRatio: Double?
    /// The layers with weights, in execution order.
    public var layers: [Layer]
    /// Trained numbers of the whole network before.
    public var parametersBefore: Int
    /// And after.
    public var parametersAfter: Int
    /// Multiply-adds of the whole network on one image before.
    public var multiplyAddsBefore: Int
    /// And after.
    public var multiplyAddsAfter: Int

    /// Milliseconds of the whole network on one image before, measured on this machine, where that was asked for.
    public var millisecondsBefore: Double?
    /// And after.
    public var millisecondsAfter: Double?

    enum CodingKeys: String, CodingKey {
        case methods, layers
        case millisecondsBefore = "milliseconds_before"
        case millisecondsAfter = "milliseconds_after"
        case vbmfRatio = "vbmf_ratio"
        case parametersBefore = "parameters_before"
        case parametersAfter = "parameters_after"
        case multiplyAddsBefore = "macs_before"
        case multiplyAddsAfter = "macs_after"
    }

    /// How many times fewer parameters there are.
    public var compressionRate: Double { Double(parametersBefore) / Double(max(parametersAfter, 1)) }
}
