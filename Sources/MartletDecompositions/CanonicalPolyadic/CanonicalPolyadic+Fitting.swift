import MartletLinearAlgebra
import MartletParallelism

extension CanonicalPolyadic {
    /// The sum of `rank` rank-one terms that is nearest to `kernel` in `norm`, as far as alternating methods find it.
    ///
    /// - The Frobenius norm: alternating least squares, as TensorLy's `parafac`.
    /// - A second moment: the paper's Algorithm 1, or the joint form (``DecompositionOptions/Update/joint``). A moment that is
    ///   zero says nothing, and the Frobenius norm decides.
    ///
    /// With ``DecompositionOptions/isBounded`` terms are kept small. In the Frobenius norm an error-preserving correction follows (Phan
    /// et al. 2020): their norms are made smaller while the squared error grows by at most 2 %; the errors of the fit are those
    /// before it. Under a second moment 1e-4 of the mean square of what each term adds to the output counts as error, about what
    /// rounding it to 8 bits costs; the errors of the fit contain it, but for the last.
    ///
    /// The start is made of singular vectors unless the options ask for a random one; of several the best result is kept.
    /// - Parameters:
    ///   - rank: `R`, at most what represents every kernel of the shape (``DecompositionForm/maximumRanks(of:)``). It may
    ///     exceed `T` and `S`.
    ///   - checkCancellation: called before each sweep; what it throws ends the fit.
    /// - Throws: ``DecompositionError`` for ranks, options or a second moment out of range, `LinearAlgebraError` if a
    ///   factorisation fails.
    public static func fit(
        _ kernel: ConvolutionKernel, rank: Int, norm: Norm, options: DecompositionOptions = .init(), pool: ThreadPool,
        checkCancellation: () throws -> Void = {}
    ) throws -> DecompositionFit<CanonicalPolyadic> {
        try options.validate()
        try DecompositionForm.canonicalPolyadic.check(ranks: [rank], of: kernel.shape)
        if let (secondMoment, regularization) = try norm.regularized(for: kernel, options) {
            let problem = try CPSigmaProblem(kernel, secondMoment, regularization: regularization, pool: pool)
            return try options.bestOfStarts { options in
                try problem.fit(rank: rank, options: options, checkCancellation: checkCancellation)
            }.map { $0.balanced() }
        }
        let problem = CPAlternatingLeastSquares(kernel, pool: pool)
        return try options.bestOfStarts { options in
            let start: CanonicalPolyadic =
                switch options.start {
                case .singularVectors:
                    try CPStart.singularVectors(kernel, rank: rank, seed: options.seed, pool: pool)
                case .random: CPStart.random(kernel, rank: rank, seed: options.seed)
                }
            let fit = try problem.fit(
                from: start, maximumSweeps: options.maximumSweeps ?? 200, tolerance: options.tolerance ?? 1e-4,
                checkCancellation: checkCancellation)
            return options.isBounded
                ? try fit.map { try problem.bounded($0, checkCancellation: checkCancellation) } : fit
        }.map { $0.balanced() }
    }
}

extension Norm {
    /// The second moment to fit with and its ridge; nil for the Frobenius norm, and where the moment is zero and says
    /// nothing.
    /// - Throws: ``DecompositionError/dimensionMismatch(patch:secondMoment:)``.
    func regularized(
        for kernel: ConvolutionKernel, _ options: DecompositionOptions
    ) throws(DecompositionError) -> (SecondMoment, regularization: Double)? {
        guard case .sigma(let secondMoment) = self else { return nil }
        guard secondMoment.dimension == kernel.patchSize else {
            throw .dimensionMismatch(patch: kernel.patchSize, secondMoment: secondMoment.dimension)
        }
        guard secondMoment.matrix.trace > 0 else { return nil }
        return (secondMoment, options.regularization ?? secondMoment.suggestedRegularization)
    }
}
