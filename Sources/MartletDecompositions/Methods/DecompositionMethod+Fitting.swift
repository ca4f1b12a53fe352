import MartletLinearAlgebra
import MartletParallelism

extension DecompositionMethod {
    /// The layers that stand for `kernel`, and how they were found.
    ///
    /// - Parameters:
    ///   - ranks: as ``DecompositionForm/rankNames`` says.
    ///   - measurements: what ``measure`` needs of them.
    ///   - checkCancellation: called now and then; what it throws ends the work.
    /// - Throws: ``DecompositionError``, `LinearAlgebraError`.
    public func fit(
        _ kernel: ConvolutionKernel, ranks: [Int], measurements: LayerMeasurements = .init(),
        options: DecompositionOptions = .init(), pool: ThreadPool, checkCancellation: () throws -> Void = {}
    ) throws -> DecompositionFit<any Factorization> {
        try options.validate()
        try form.check(ranks: ranks, of: kernel.shape)
        if measure == .sigma, let outputMoment = measurements.outputMoment,
            let whitening = try OutputWhitening(
                outputMoment, for: kernel, options: options)
        {
            var rest = measurements
            rest.outputMoment = nil
            let whitened = try fit(
                whitening.whitened(kernel, pool: pool), ranks: ranks, measurements: rest, options: options, pool: pool,
                checkCancellation: checkCancellation)
            return try whitened.map { factors in
                try factors.mixingOutputs(pool: pool) { try whitening.restored($0, pool: pool) }
            }
        }
        let norm: Norm
        switch measure {
        case .frobenius, .outputMagnitudes, .fisher: norm = .frobenius
        case .sigma:
            guard let moment = measurements.secondMoment else {
                throw DecompositionError.missingMeasurement(method: rawValue, what: "the second moment of its input")
            }
            norm = .sigma(moment)
        }
        switch self {
        case .tucker2ALS, .tucker2ALSSigma:
            return try Tucker2.fit(
                kernel, outputRank: ranks[0], inputRank: ranks[1], norm: norm, options: options, pool: pool,
                checkCancellation: checkCancellation
            ).map { $0 }
        case .agLRA:
            guard let magnitudes = measurements.outputMagnitudes else {
                throw DecompositionError.missingMeasurement(method: rawValue, what: "the magnitudes of its outputs")
            }
            return try Tucker2.fit(
                kernel, outputRank: ranks[0], inputRank: ranks[1], outputWeights: magnitudes, options: options,
                pool: pool, checkCancellation: checkCancellation
            ).map { $0 }
        case .fwLRA:
            guard let information = measurements.fisherInformation else {
                throw DecompositionError.missingMeasurement(
                    method: rawValue, what: "the Fisher information of its weights")
            }
            return try Tucker2.fit(
                kernel, outputRank: ranks[0], inputRank: ranks[1], elementWeights: information, options: options,
                pool: pool, checkCancellation: checkCancellation
            ).map { $0 }
        case .cpALS, .cpALSSigma:
            return try CanonicalPolyadic.fit(
                kernel, rank: ranks[0], norm: norm, options: options, pool: pool, checkCancellation: checkCancellation
            ).map { $0 }
        case .greedy, .greedySigma:
            return try CanonicalPolyadic.deflated(
                kernel, rank: ranks[0], norm: norm, options: options, pool: pool, checkCancellation: checkCancellation
            ).map { $0 }
        case .spatialSVD, .spatialSVDSigma:
            return try SpatialSplit.fit(
                kernel, rank: ranks[0], norm: norm, options: options, pool: pool, checkCancellation: checkCancellation
            ).map { $0 }
        case .svd, .svdSigma, .channelSVD, .channelSVDSigma:
            try checkCancellation()
            let regularization = try norm.regularized(for: kernel, options)?.regularization ?? 0
            let factors = try LowRank(
                kernel, rank: ranks[0], norm: norm, regularization: regularization, pool: pool)
            let error = try kernel.squaredRelativeError(
                of: factors.reconstructed(pool: pool), in: norm, regularization: regularization, pool: pool)
            return DecompositionFit(factors: factors, errors: [error], converged: true)
        }
    }
}

extension ConvolutionKernel {
    /// ``squaredRelativeError(of:in:pool:)`` with the ridge of a fit.
    func squaredRelativeError(
        of approximation: ConvolutionKernel, in norm: Norm, regularization: Double, pool: ThreadPool
    ) throws -> Double {
        guard case .sigma(let moment) = norm, moment.matrix.trace > 0 else {
            return try squaredRelativeError(of: approximation, in: .frobenius, pool: pool)
        }
        let ridge = regularization * moment.matrix.trace / Double(moment.dimension)
        let plain = try squaredRelativeError(of: approximation, in: .frobenius, pool: pool)
        let error = try squaredRelativeError(of: approximation, in: norm, pool: pool)
        let (weights, outputs) = (ridge * matrix.squaredNorm, try energy(in: norm, pool: pool))
        return ratio(error * outputs + plain * weights, of: outputs + weights)
    }
}
