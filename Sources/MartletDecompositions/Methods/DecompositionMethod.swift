/// Every way in which Martlet takes a kernel apart: a form, and what the difference from the kernel is measured in.
///
/// A method is chosen by name, for each kind of layer (``LayerKind``); everything else about it is here: which kernels it
/// is for, what it needs to know, how ranks are chosen (``form``'s affair) and what layers result (``Factorization``).
public enum DecompositionMethod: String, Sendable, CaseIterable, Codable {
    /// Tucker-2 by higher-order orthogonal iteration; looks at the weights alone.
    case tucker2ALS = "tucker2-als"
    /// Tucker-2 in the Sigma norm (paper, Algorithm 2).
    case tucker2ALSSigma = "tucker2-als-sigma"
    /// CP by alternating least squares; looks at the weights alone.
    case cpALS = "cp-als"
    /// CP in the Sigma norm (paper, Algorithm 1).
    case cpALSSigma = "cp-als-sigma"
    /// CP one term at a time, each the best for what the others left (tensor deflation; paper, 5.1).
    case greedy
    /// The same in the Sigma norm.
    case greedySigma = "greedy-sigma"
    /// Tucker-2 with each output weighed by its mean absolute value (AG-LRA; paper, 5.4).
    case agLRA = "ag-lra"
    /// Tucker-2 with each weight weighed by its Fisher information (FW-LRA; paper, 5.4).
    case fwLRA = "fw-lra"
    /// A vertical and a horizontal convolution, by singular values.
    case spatialSVD = "spatial-svd"
    /// The same in the Sigma norm.
    case spatialSVDSigma = "spatial-svd-sigma"
    /// A convolution to fewer channels and a 1x1 convolution, by singular values (Zhang et al. 2015).
    case channelSVD = "channel-svd"
    /// The same in the Sigma norm.
    case channelSVDSigma = "channel-svd-sigma"
    /// Two matrices, by singular values.
    case svd
    /// The same in the Sigma norm (paper, Appendix E).
    case svdSigma = "svd-sigma"

    /// What the difference of two kernels is measured in.
    public enum Measure: Sendable {
        /// The weights' change.
        case frobenius
        /// The outputs' change, by the second moment of the inputs.
        case sigma
        /// The weights' change, each output's weighed by its magnitude.
        case outputMagnitudes
        /// The weights' change, each weighed by its Fisher information.
        case fisher
    }

    /// What results.
    public var form: DecompositionForm {
        switch self {
        case .tucker2ALS, .tucker2ALSSigma, .agLRA, .fwLRA: .tucker2
        case .cpALS, .cpALSSigma, .greedy, .greedySigma: .canonicalPolyadic
        case .spatialSVD, .spatialSVDSigma: .spatial
        case .svd, .svdSigma, .channelSVD, .channelSVDSigma: .lowRank
        }
    }

    /// What is minimised.
    public var measure: Measure {
        switch self {
        case .tucker2ALS, .cpALS, .greedy, .spatialSVD, .channelSVD, .svd: .frobenius
        case .tucker2ALSSigma, .cpALSSigma, .greedySigma, .spatialSVDSigma, .channelSVDSigma, .svdSigma: .sigma
        case .agLRA: .outputMagnitudes
        case .fwLRA: .fisher
        }
    }

    /// Whether it needs statistics of the layer's input.
    public var needsStatistics: Bool { measure == .sigma || measure == .outputMagnitudes }

    /// Whether the start matters, so that seeds and restarts have a meaning.
    public var hasStarts: Bool {
        switch self {
        case .tucker2ALS, .tucker2ALSSigma, .cpALS, .cpALSSigma, .agLRA, .fwLRA, .spatialSVDSigma: true
        case .greedy, .greedySigma, .spatialSVD, .channelSVD, .channelSVDSigma, .svd, .svdSigma: false
        }
    }

    /// The layers it is for: matrices for SVD, windows of more than one tap for all others.
    public var layerKinds: Set<LayerKind> {
        switch self {
        case .svd, .svdSigma: [.pointwise, .fullyConnected]
        default: [.convolution]
        }
    }

    /// What is minimised, in one line for a person.
    public var summary: String {
        switch self {
        case .tucker2ALS: "1x1, h x w, 1x1; nearest in the weights"
        case .tucker2ALSSigma: "1x1, h x w, 1x1; nearest in the outputs"
        case .cpALS: "1x1, depthwise h x 1 and 1 x w, 1x1; nearest in the weights"
        case .cpALSSigma: "1x1, depthwise h x 1 and 1 x w, 1x1; nearest in the outputs"
        case .greedy: "as cp-als, one term after the other"
        case .greedySigma: "as cp-als-sigma, one term after the other"
        case .agLRA: "as tucker2-als, outputs weighed by their magnitude"
        case .fwLRA: "as tucker2-als, weights weighed by their Fisher information"
        case .spatialSVD: "h x 1, 1 x w; nearest in the weights"
        case .spatialSVDSigma: "h x 1, 1 x w; nearest in the outputs"
        case .channelSVD: "h x w to fewer channels, 1x1; nearest in the weights"
        case .channelSVDSigma: "h x w to fewer channels, 1x1; nearest in the outputs"
        case .svd: "two matrices; nearest in the weights"
        case .svdSigma: "two matrices; nearest in the outputs"
        }
    }
}

/// What a method can be chosen for.
public enum LayerKind: String, Sendable, CaseIterable, Codable {
    /// A convolution with more than one tap.
    case convolution = "conv"
    /// A convolution of one tap.
    case pointwise
    /// A fully connected layer.
    case fullyConnected = "linear"
}
