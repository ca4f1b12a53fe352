/// What became of each layer.
public struct CompressionReport: Codable, Sendable, Equatable {
    /// One layer.
    public struct Layer: Codable, Sendable, Equatable {
        /// The name.
        public var name: String
        /// `[outputs, inputs / groups, kernel...]`.
        public var shape: [Int]
        /// Why the layer was left as it is; `nil` if it was replaced.
        public var kept: String?
        /// Output and input rank, of the replacement or of the one that would not have been smaller.
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
        /// `|W - V|^2 / |W|^2`.
        public var frobeniusError: Double?
        /// Sweeps of alternating least squares.
        public var sweeps: Int?
        /// How long it took.
        public var seconds = 0.0

        enum CodingKeys: String, CodingKey {
            case name, shape, kept, ranks, sweeps, seconds
            case parametersBefore = "parameters_before"
            case parametersAfter = "parameters_after"
            case multiplyAddsBefore = "macs_before"
            case multiplyAddsAfter = "macs_after"
            case sigmaError = "sigma_error"
            case frobeniusError = "frobenius_error"
        }
    }

    /// The method.
    public var method: CompressionMethod
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

    enum CodingKeys: String, CodingKey {
        case method, layers
        case vbmfRatio = "vbmf_ratio"
        case parametersBefore = "parameters_before"
        case parametersAfter = "parameters_after"
        case multiplyAddsBefore = "macs_before"
        case multiplyAddsAfter = "macs_after"
    }

    /// How many times fewer parameters there are.
    public var compressionRate: Double { Double(parametersBefore) / Double(max(parametersAfter, 1)) }
}
