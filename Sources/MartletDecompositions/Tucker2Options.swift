/// How a Tucker-2 decomposition is sought. The defaults suit networks like ResNet and GoogLeNet.
public struct Tucker2Options: Sendable {
    /// How the blocks are updated under the Sigma norm.
    public enum Update: Sendable {
        /// The output factor and the core together, in closed form given the input factor; then the input factor.
        case joint
        /// The output factor, the core and the input factor one at a time, as the paper's Algorithm 2 has it. Slower to
        /// converge; the reference.
        case oneBlockAtATime
    }

    /// The most sweeps.
    public var maximumSweeps = 50
    /// Sweeps end when one lowers the squared error by no more than this part of it.
    ///
    /// Nil takes what the norm calls for. Frobenius: 2e-5, at which every layer of ResNet-18 and GoogLeNet tried has at
    /// most the error that TensorLy's default leaves. A second moment: 3e-3, reached in three to six sweeps; what later
    /// ones gain on the images at hand (1 to 2 % of the squared error in ResNet-18) they lose again on others where
    /// images are few.
    public var tolerance: Double?
    /// Steps of conjugate gradients on the input factor in one sweep. With the preconditioner two do nearly what
    /// sixteen do.
    public var conjugateGradientSteps = 4
    /// `epsilon` in `Sigma + epsilon tr(Sigma) / D I`, which stands for `Sigma` while fitting. Nil takes
    /// ``SecondMoment/suggestedRegularization``.
    public var regularization: Double?
    /// How the blocks are updated under the Sigma norm.
    public var update = Update.joint

    public init() {}

    func validate() throws(DecompositionError) {
        guard maximumSweeps >= 0 else {
            throw .optionOutOfRange(option: "maximumSweeps", value: Double(maximumSweeps), range: "0 ...")
        }
        guard conjugateGradientSteps >= 1 else {
            throw .optionOutOfRange(
                option: "conjugateGradientSteps", value: Double(conjugateGradientSteps), range: "1 ...")
        }
        if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
            throw .optionOutOfRange(option: "tolerance", value: tolerance, range: "0 ...")
        }
        // Below this a rank-deficient second moment is not definite to rounding.
        if let regularization, !(regularization >= 1e-9 && regularization.isFinite) {
            throw .optionOutOfRange(option: "regularization", value: regularization, range: "1e-9 ...")
        }
    }
}
