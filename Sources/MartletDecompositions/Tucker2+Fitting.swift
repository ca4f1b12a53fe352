import MartletLinearAlgebra
import MartletParallelism

/// A Tucker-2 decomposition and how it was reached.
public struct Tucker2Fit: Sendable {
    /// The factors.
    public let factors: Tucker2
    /// The squared relative error at the start and after each sweep, in the norm that was minimised (the regularised
    /// one, for a second moment). It never rises but for rounding.
    public let errors: [Double]
    /// Whether the last sweep fell below the tolerance.
    public let converged: Bool

    /// The number of sweeps done.
    public var sweeps: Int { errors.count - 1 }
}

extension Tucker2 {
    /// The Tucker-2 form of `kernel` with the given ranks that is nearest in `norm`, as far as alternating least squares
    /// finds it. Deterministic: the starts are singular vectors, not random.
    ///
    /// - The Frobenius norm: higher-order orthogonal iteration (De Lathauwer et al. 2000).
    /// - A second moment: the output factor and the core in closed form, the input factor by conjugate gradients, in
    ///   turns. A moment that is zero says nothing, and the Frobenius norm decides.
    ///
    /// - Parameters:
    ///   - outputRank: `R_T` in `1 ... T`.
    ///   - inputRank: `R_S` in `1 ... S`.
    ///   - checkCancellation: called before each sweep; what it throws ends the fit.
    /// - Throws: ``DecompositionError`` for ranks, options or a second moment out of range, `LinearAlgebraError` if a
    ///   factorisation fails.
    public static func fit(
        _ kernel: ConvolutionKernel, outputRank: Int, inputRank: Int, norm: Norm, options: Tucker2Options = .init(),
        pool: ThreadPool, checkCancellation: () throws -> Void = {}
    ) throws -> Tucker2Fit {
        try options.validate()
        for (mode, rank, maximum) in [
            ("output", outputRank, kernel.outputs), ("input", inputRank, kernel.inputs),
        ] where !(1...maximum).contains(rank) {
            throw DecompositionError.rankOutOfRange(mode: mode, rank: rank, maximum: maximum)
        }
        if case .sigma(let secondMoment) = norm {
            guard secondMoment.dimension == kernel.patchSize else {
                throw DecompositionError.dimensionMismatch(
                    patch: kernel.patchSize, secondMoment: secondMoment.dimension)
            }
            if secondMoment.matrix.trace > 0 {
                let regularization = options.regularization ?? secondMoment.suggestedRegularization
                let problem = try Tucker2SigmaProblem(kernel, secondMoment, regularization: regularization, pool: pool)
                return try problem.fit(
                    outputRank: outputRank, inputRank: inputRank, options: options, checkCancellation: checkCancellation
                )
            }
        }
        let iteration = HigherOrderOrthogonalIteration(kernel, pool: pool)
        return try iteration.fit(
            outputRank: outputRank, inputRank: inputRank, options: options, checkCancellation: checkCancellation)
    }
}
