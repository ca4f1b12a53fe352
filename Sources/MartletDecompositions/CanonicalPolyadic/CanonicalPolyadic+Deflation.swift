import MartletLinearAlgebra
import MartletParallelism

extension CanonicalPolyadic {
    /// The sum of `rank` rank-one terms, each the best in `norm` for what the ones before it left, as far as alternating
    /// turns find it (tensor deflation; paper, 5.1).
    ///
    /// The error after each term is in ``DecompositionFit/errors``. Deterministic. Where nothing is left, terms stay zero.
    /// - Throws: as ``fit(_:rank:norm:options:pool:checkCancellation:)``.
    public static func deflated(
        _ kernel: ConvolutionKernel, rank: Int, norm: Norm, options: DecompositionOptions = .init(), pool: ThreadPool,
        checkCancellation: () throws -> Void = {}
    ) throws -> DecompositionFit<CanonicalPolyadic> {
        try options.validate()
        try DecompositionForm.canonicalPolyadic.check(ranks: [rank], of: kernel.shape)
        guard let (secondMoment, regularization) = try norm.regularized(for: kernel, options) else {
            return try RankOneDeflation(kernel, sigma: nil, pool: pool).fit(
                rank: rank, checkCancellation: checkCancellation
            ).map { $0.balanced() }
        }
        let ridge = regularization * secondMoment.matrix.trace / Double(secondMoment.dimension)
        let whitening = try Whitening(secondMoment, kernel: kernel, ridge: ridge, pool: pool)
        let problem = RankOneDeflation(
            try whitening.whitened(kernel), sigma: try whitening.whitened(secondMoment.matrix, ridge: ridge),
            pool: pool)
        return try problem.fit(rank: rank, checkCancellation: checkCancellation).map {
            try whitening.restored($0).balanced()
        }
    }
}
