import MartletLinearAlgebra
import MartletParallelism

/// A kernel as a chain of smaller ones: what every decomposition results in.
public protocol Factorization: Sendable {
    /// The ranks, in the order of ``DecompositionForm/rankNames``.
    var ranks: [Int] { get }
    /// The layers, in the order in which they run. None has a bias, so zeros stay zeros and the border is right; the last
    /// may take the original's.
    var layers: [FactorLayer] { get }
    /// The kernel `V` `[T, S, h, w]` that the layers amount to.
    func reconstructed(pool: ThreadPool) throws -> ConvolutionKernel
    /// The factors of `M V`, of the same ranks, for a matrix `M` `[T, T]`.
    /// - Parameter multiply: `M` times a matrix with a row for each output.
    func mixingOutputs(pool: ThreadPool, _ multiply: (Matrix) throws -> Matrix) throws -> Self
}

extension Factorization {
    /// The number of weights in the layers.
    public var parameterCount: Int { layers.reduce(0) { $0 + $1.kernel.parameterCount } }
}

/// A decomposition and how it was reached.
public struct DecompositionFit<Factors: Sendable>: Sendable {
    /// The factors.
    public let factors: Factors
    /// The squared relative error at the start and after each sweep, in the norm that was minimised (the regularised
    /// one, for a second moment). It never rises but for rounding. A closed form has one entry.
    public let errors: [Double]
    /// Whether the last sweep fell below the tolerance.
    public let converged: Bool

    /// The number of sweeps done.
    public var sweeps: Int { errors.count - 1 }

    init(factors: Factors, errors: [Double], converged: Bool) {
        self.factors = factors
        self.errors = errors
        self.converged = converged
    }

    /// The same with other factors, for a form that is another's special case.
    func map<Other>(_ transform: (Factors) throws -> Other) rethrows -> DecompositionFit<Other> {
        DecompositionFit<Other>(factors: try transform(factors), errors: errors, converged: converged)
    }
}
