import MartletLinearAlgebra
import MartletParallelism

extension Tucker2 {
    /// The Tucker-2 form of `kernel` with the given ranks that is nearest in `norm`, as far as alternating least squares
    /// finds it. The start is made of singular vectors unless the options ask for a random one; of several the best result
    /// is kept.
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
        _ kernel: ConvolutionKernel, outputRank: Int, inputRank: Int, norm: Norm,
        options: DecompositionOptions = .init(),
        pool: ThreadPool, checkCancellation: () throws -> Void = {}
    ) throws -> DecompositionFit<Tucker2> {
        try options.validate()
        try DecompositionForm.tucker2.check(ranks: [outputRank, inputRank], of: kernel.shape)
        if let (secondMoment, regularization) = try norm.regularized(for: kernel, options) {
            let problem = try Tucker2SigmaProblem(kernel, secondMoment, regularization: regularization, pool: pool)
            return try options.bestOfStarts { options in
                try problem.fit(
                    outputRank: outputRank, inputRank: inputRank, options: options, checkCancellation: checkCancellation
                )
            }
        }
        let iteration = HigherOrderOrthogonalIteration(kernel, pool: pool)
        return try options.bestOfStarts { options in
            try iteration.fit(
                outputRank: outputRank, inputRank: inputRank, options: options, checkCancellation: checkCancellation)
        }
    }
}
