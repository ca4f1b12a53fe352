/// How the weights of a layer are replaced.
public enum CompressionMethod: String, Sendable, CaseIterable, Codable {
    /// Tucker-2 by alternating least squares in the Frobenius norm; looks at the weights alone.
    case tucker2ALS = "tucker2-als"
    /// Tucker-2 by alternating least squares in the Sigma norm (paper, Algorithm 2).
    case tucker2ALSSigma = "tucker2-als-sigma"

    /// Whether it needs the second moments of the layers' inputs.
    public var needsStatistics: Bool { self == .tucker2ALSSigma }
}
