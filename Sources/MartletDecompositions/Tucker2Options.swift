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
    public var maximumSweeps = 20
    /// Sweeps end when one lowers the squared error by less than this part of it.
    public var tolerance = 1e-3
    /// Steps of conjugate gradients on the input factor in one sweep.
    public var conjugateGradientSteps = 8
    /// `epsilon` in `Sigma + epsilon tr(Sigma) / D I`, which stands for `Sigma` while fitting.
    public var regularization = 1e-3
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
        guard tolerance >= 0, tolerance.isFinite else {
            throw .optionOutOfRange(option: "tolerance", value: tolerance, range: "0 ...")
        }
        guard regularization > 0, regularization.isFinite else {
            throw .optionOutOfRange(option: "regularization", value: regularization, range: "above 0")
        }
    }
}
