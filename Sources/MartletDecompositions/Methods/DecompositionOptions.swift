/// How a decomposition is sought. The defaults suit networks like ResNet and GoogLeNet; closed forms have no use for them.
public struct DecompositionOptions: Sendable, Equatable {
    /// How the blocks are updated under the Sigma norm.
    public enum Update: Sendable {
        /// As many blocks together as there is a way to. Tucker-2: the output factor and the core in closed form given
        /// the input factor, then the input factor. CP: the output factor in closed form given the others, which all
        /// move in each step of a quasi-Newton method.
        case joint
        /// One factor at a time, as the paper's Algorithms 1 and 2 have it. Slower to converge; the reference.
        case oneBlockAtATime
    }

    /// Where an alternating method starts.
    public enum Start: String, Sendable, CaseIterable, Codable {
        /// From singular vectors: deterministic.
        case singularVectors = "svd"
        /// From normal random numbers of a seed.
        case random
    }

    /// The most sweeps; nil takes the method's own limit.
    public var maximumSweeps: Int?
    /// Sweeps end when one lowers the squared error by no more than this part of it.
    ///
    /// Nil takes what the method calls for. Tucker-2 in the Frobenius norm: 2e-5, at which every layer of ResNet-18 and
    /// GoogLeNet tried has at most the error that TensorLy's default leaves. Under a second moment: 1e-4 for patches of up
    /// to 1,152 numbers, whose sweeps cost next to nothing, and 3e-3 for larger ones, reached in three to six sweeps; what
    /// later ones gain there on the images at hand (1 to 2 % of the squared error in ResNet-18) they lose again on others
    /// where images are few.
    public var tolerance: Double?
    /// Steps of conjugate gradients in one sweep; nil takes the method's own number. For Tucker-2's input factor that is
    /// 4: with the preconditioner two do nearly what sixteen do. CP has some where one factor moves at a time.
    public var conjugateGradientSteps: Int?
    /// `epsilon` in `Sigma + epsilon tr(Sigma) / D I`, which stands for `Sigma` while fitting. Nil takes
    /// ``SecondMoment/suggestedRegularization``.
    public var regularization: Double?
    /// `epsilon` in `Lambda + epsilon tr(Lambda) / T I`, which stands for `Lambda` where the complete norm is minimised. Large
    /// values leave the Sigma norm; nil takes ``OutputMoment/suggestedRegularization``.
    public var outputRegularization: Double?
    /// How the blocks are updated under the Sigma norm.
    public var update = Update.joint
    /// Where it starts.
    public var start = Start.singularVectors
    /// The seed of random numbers, wherever some are needed.
    public var seed: UInt64 = 0
    /// How many starts are tried, the best result of which is kept: the first as ``start`` says, the others random with
    /// the seeds that follow ``seed``.
    public var restarts = 1
    /// Whether the rank-one terms of a CP decomposition are kept small, so that they bear rounding to 8 bits:
    /// ``CanonicalPolyadic/fit(_:rank:norm:options:pool:checkCancellation:)``.
    public var isBounded = false
    /// Whether CP under a second moment is broken off early, whatever ``maximumSweeps``: for who wants to know about
    /// what error it leaves, or what that does. Its start leaves several times as much, unlike that of other methods.
    public var isBrief = false

    public init() {}

    func validate() throws(DecompositionError) {
        for (option, value, least) in [
            ("maximumSweeps", maximumSweeps, 0), ("conjugateGradientSteps", conjugateGradientSteps, 1),
            ("restarts", restarts, 1),
        ] {
            if let value, value < least {
                throw .optionOutOfRange(option: option, value: Double(value), range: "\(least) ...")
            }
        }
        if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
            throw .optionOutOfRange(option: "tolerance", value: tolerance, range: "0 ...")
        }
        if let outputRegularization, !(outputRegularization >= 1e-9 && outputRegularization.isFinite) {
            throw .optionOutOfRange(option: "outputRegularization", value: outputRegularization, range: "1e-9 ...")
        }
        // Below this a rank-deficient second moment is not definite to rounding.
        if let regularization, !(regularization >= 1e-9 && regularization.isFinite) {
            throw .optionOutOfRange(option: "regularization", value: regularization, range: "1e-9 ...")
        }
    }

    /// The best result of the starts asked for, by its last error.
    func bestOfStarts<Factors>(
        _ fit: (DecompositionOptions) throws -> DecompositionFit<Factors>
    ) throws -> DecompositionFit<Factors> {
        var best = try fit(self)
        for restart in 1..<max(restarts, 1) {
            var options = self
            options.start = .random
            options.seed = seed &+ UInt64(restart)
            let other = try fit(options)
            if let error = other.errors.last, error < best.errors.last ?? .infinity { best = other }
        }
        return best
    }
}
