import MartletLinearAlgebra
import MartletParallelism

/// CP in the norm of a second moment: minimise `tr((W - V) Sigma (W - V)^T)` over `V = A B^T`, the columns of `B` being
/// products of a vector of inputs, one of rows and one of columns (paper, Algorithm 1 and B.2).
///
/// Everything happens in the coordinates of a ``Whitening``, where `Sigma` is about the identity: the start is CP in the
/// Frobenius norm there, whose sweeps cost a fraction of one with the true moment.
///
/// Given `B`, the output factor solves `A (B^T Sigma B) = W Sigma B`. So the error is a function of the other factors alone, and
/// ``PatchDescent`` lowers it; or one factor after the other is the best for the rest, as in the paper.
struct CPSigmaProblem {
    let whitening: Whitening
    /// `W F`.
    let kernel: ConvolutionKernel
    /// `F^-1 Sigma F^-T`, the ridge included.
    let sigma: Matrix
    /// The same in the precision of gradients.
    let singleSigma: [Float]?
    /// `W Sigma`.
    let weighted: Matrix
    let singleWeighted: [Float]?
    /// `tr(W Sigma W^T)`.
    let energy: Double
    /// Added to the squared error for each term: this part of the mean square of what the term adds to the output.
    var termPrice = 0.0
    let pool: ThreadPool

    /// - Parameter singlePrecisionFrom: the patch size from which on gradients, and `Sigma B` on the way, are computed in single
    ///   precision. Where a search ends, the output factor and the error are in double.
    init(
        _ kernel: ConvolutionKernel, _ secondMoment: SecondMoment, regularization: Double, pool: ThreadPool,
        singlePrecisionFrom: Int = 512
    ) throws {
        let ridge = regularization * secondMoment.matrix.trace / Double(secondMoment.dimension)
        self.whitening = try Whitening(secondMoment, kernel: kernel, ridge: ridge, pool: pool)
        self.kernel = try whitening.whitened(kernel)
        self.sigma = try whitening.whitened(secondMoment.matrix, ridge: ridge)
        self.weighted = try self.kernel.matrix.multiplied(by: sigma, pool: pool)
        self.energy = self.kernel.matrix.dot(weighted)
        let isSingle = secondMoment.dimension >= singlePrecisionFrom
        self.singleSigma = isSingle ? sigma.elements.map { Float($0) } : nil
        self.singleWeighted = isSingle ? weighted.elements.map { Float($0) } : nil
        self.pool = pool
    }

    /// A point of the iteration.
    struct State {
        /// In whitened coordinates, with unit vectors for the patches.
        var factors: CanonicalPolyadic
        /// `Sigma B` `[S h w, R]`.
        var image: Matrix
        /// The squared relative error.
        var error: Double
    }

    /// The parts of the largest rank worth having at which errors are estimated: what saves little is seldom chosen, and takes
    /// longest.
    static let estimates = [0.125, 0.25, 0.375, 0.5, 0.75]

    /// About what fits at rising ranks would leave, from the beginnings of some: upper bounds. Each goes on from the one before, with
    /// more terms for what that has left.
    func estimatedErrors(
        ranks: [Int], options: DecompositionOptions, checkCancellation: () throws -> Void
    ) throws -> [Double] {
        var last: CanonicalPolyadic?
        // Where it is broken off is the same for all.
        var options = options
        options.tolerance = 0
        return try ranks.map { rank in
            let factors: CanonicalPolyadic
            if let last {
                let fitted = try last.reconstructed(pool: pool)
                let rest = ConvolutionKernel(
                    matrix: kernel.matrix.moved(along: fitted.matrix, by: -1), inputs: kernel.inputs,
                    height: kernel.height, width: kernel.width)
                factors = last.appending(
                    try CPStart.singularVectors(rest, rank: rank - last.rank, seed: options.seed, pool: pool))
            } else {
                factors = try start(rank: rank, options, sweeps: Self.warmSweeps, checkCancellation)
            }
            let path = try descent(
                from: factors, sweeps: last == nil ? Self.briefSweeps : Self.growingSweeps, options, checkCancellation)
            last = path.state.factors
            return path.state.error
        }
    }

    func fit(
        rank: Int, options: DecompositionOptions, checkCancellation: () throws -> Void
    ) throws -> DecompositionFit<CanonicalPolyadic> {
        let sweeps = options.isBrief ? Self.briefSweeps : options.maximumSweeps ?? Self.maximumSweeps
        let start = try start(rank: rank, options, sweeps: min(Self.warmSweeps, sweeps), checkCancellation)
        var priced = self
        if options.isBounded { priced.termPrice = Self.roundingNoise }
        var path: Path
        switch options.update {
        case .joint: path = try priced.descent(from: start, sweeps: sweeps, options, checkCancellation)
        case .oneBlockAtATime:
            path = try turns(from: start, sweeps: sweeps, options, checkCancellation)
            if options.isBounded {
                path = try priced.descent(from: path.state.factors, sweeps: sweeps, options, checkCancellation)
            }
        }
        return DecompositionFit(
            factors: try whitening.restored(path.state.factors), errors: path.errors, converged: path.converged)
    }

    /// About what rounding its channel to 8 bits changes what a term adds to the output by, as a part of its mean square. It is what did
    /// best of 2e-5 to 2e-3; rounding one value of ResNet-20's blocks was measured to cost 4e-5 to 2e-4.
    static let roundingNoise = 1e-4

    /// CP in the Frobenius norm of the whitened kernel, so far as `sweeps` go.
    private func start(
        rank: Int, _ options: DecompositionOptions, sweeps: Int, _ checkCancellation: () throws -> Void
    ) throws -> CanonicalPolyadic {
        try checkCancellation()
        let start: CanonicalPolyadic =
            switch options.start {
            case .singularVectors:
                try CPStart.singularVectors(kernel, rank: rank, seed: options.seed, pool: pool)
            case .random: CPStart.random(kernel, rank: rank, seed: options.seed)
            }
        return try CPAlternatingLeastSquares(kernel, pool: pool).fit(
            from: start, maximumSweeps: sweeps, tolerance: Self.warmTolerance, checkCancellation: checkCancellation
        ).factors
    }

    /// Sweeps in the Frobenius norm of the whitened kernel before the first with the moment itself: a start that costs next to
    /// nothing, and more of which gains nothing.
    private static let warmSweeps = 10
    private static let warmTolerance = 5e-3
    private static let briefSweeps = 15
    private static let growingSweeps = 8
    private static let maximumSweeps = 100

    /// Where a search ended, and the errors on the way.
    struct Path {
        var state: State
        var errors: [Double]
        var converged: Bool
    }

    /// Lowers the error by moving all patches together.
    private func descent(
        from factors: CanonicalPolyadic, sweeps: Int, _ options: DecompositionOptions,
        _ checkCancellation: () throws -> Void
    ) throws -> Path {
        let tolerance = options.tolerance ?? 1e-3
        var descent = try PatchDescent(self, from: factors)
        var errors = [descent.point.error]
        var converged = energy == 0
        while !converged, errors.count <= sweeps {
            try checkCancellation()
            // What is left where there is no step is rounding.
            guard try descent.advance() else {
                converged = true
                break
            }
            errors.append(descent.point.error)
            // Steps are uneven: ten of them say more than one.
            let before = errors.count > 10 ? errors[errors.count - 11] : .infinity
            converged =
                before - descent.point.error <= 10 * tolerance * descent.point.error || descent.point.error < 1e-13
        }
        let state = try fitOutputs(descent.point.vector.factors())
        // The same in double.
        errors[errors.count - 1] = state.error
        return Path(state: state, errors: errors, converged: converged)
    }

    /// Lowers the error by one factor after the other.
    private func turns(
        from factors: CanonicalPolyadic, sweeps: Int, _ options: DecompositionOptions,
        _ checkCancellation: () throws -> Void
    ) throws -> Path {
        let tolerance = options.tolerance ?? 5e-3
        var state = try fitOutputs(factors)
        var errors = [state.error]
        var converged = energy == 0
        var calm = 0
        while !converged, errors.count <= sweeps {
            try checkCancellation()
            let next = try sweepByBlocks(state, steps: options.conjugateGradientSteps ?? 100)
            guard next.error <= state.error else {
                // What is left is rounding.
                converged = true
                break
            }
            let gain = state.error - next.error
            state = next
            errors.append(state.error)
            calm = gain <= tolerance * state.error ? calm + 1 : 0
            converged = calm == 2 || state.error < 1e-13
        }
        return Path(state: state, errors: errors, converged: converged)
    }

    /// The best output factor for the patches of `factors`, whose own is not looked at but where the system is singular.
    func fitOutputs(_ factors: CanonicalPolyadic) throws -> State {
        let parts = try outputEquations(factors)
        let outputs = try CPNormalEquations.solve(
            priced(parts.system), parts.right, previous: parts.unit.outputs, pool: pool)
        return try state(parts, outputs: outputs)
    }

    /// `B^T Sigma B` with the price of the terms on its diagonal.
    func priced(_ system: Matrix) -> Matrix {
        if termPrice == 0 { return system }
        var result = system
        for term in 0..<system.rows { result[term, term] *= 1 + termPrice }
        return result
    }

    /// What the output factor is solved from.
    struct OutputEquations {
        /// The factors, the patches' vectors with norm 1.
        var unit: CanonicalPolyadic
        /// `Sigma B`.
        var image: Matrix
        /// `B^T Sigma B`.
        var system: Matrix
        /// `W Sigma B`.
        var right: Matrix
    }

    func outputEquations(_ factors: CanonicalPolyadic) throws -> OutputEquations {
        let unit = factors.withUnitPatches()
        let patches = KhatriRao.expanded(
            inputs: unit.inputs, taps: KhatriRao.taps(rows: unit.rows, columns: unit.columns), pool: pool)
        let image = try sigma.multiplied(by: patches, pool: pool)
        return OutputEquations(
            unit: unit, image: image, system: try patches.symmetricProduct(with: image, pool: pool),
            right: try weighted.multiplied(by: patches, pool: pool))
    }

    func state(_ parts: OutputEquations, outputs: Matrix) throws -> State {
        let fitted = try outputs.multiplied(by: parts.system, pool: pool)
        let error = max(0, energy - 2 * parts.right.dot(outputs) + fitted.dot(outputs))
        return State(
            factors: CanonicalPolyadic(
                outputs: outputs, inputs: parts.unit.inputs, rows: parts.unit.rows, columns: parts.unit.columns),
            image: parts.image, error: ratio(error, of: energy))
    }
}
