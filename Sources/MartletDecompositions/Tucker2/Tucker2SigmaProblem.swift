import MartletLinearAlgebra
import MartletParallelism

/// Tucker-2 in the norm of a second moment: minimise `tr((W - V) Sigma (W - V)^T)` over `V = U_T G (U_S x I)^T`
/// (paper, Algorithm 2 and B.3).
///
/// Given `U_S`, the pair `(U_T, G)` is a reduced-rank regression and has a closed form; see ``fitOutputs(_:rank:)``.
/// Given that pair, `U_S` solves a linear system that conjugate gradients approach; see
/// ``improvedInputs(_:outputs:core:steps:)``. Both steps can only lower the error. The Kronecker matrices of the paper's
/// B.4 are never formed.
///
/// `Sigma` stands here for `Sigma + epsilon tr(Sigma) / D I`. The ridge makes every system definite, whatever few images
/// the moment comes from, and keeps the fit from trusting directions that were never seen.
///
/// Shapes: `T` outputs, `S` inputs, `h w` taps, `D = S h w`. A matrix called tap-major has its columns as
/// `[h w, S]` or `[h w, R_S]`.
struct Tucker2SigmaProblem {
    let kernel: ConvolutionKernel
    let secondMoment: SecondMoment
    /// What is added to the diagonal of the second moment.
    let ridge: Double
    /// `W Sigma`, tap-major `[T, h w S]`.
    let weighted: Matrix
    /// `tr(W Sigma W^T)`.
    let energy: Double
    /// Sigma as a product of a moment over channels and one over taps, about.
    let separation: SeparatedMoment
    /// Products with Sigma in the precision of the conjugate gradient steps.
    let singlePrecision: InputFactorOperator<Float>?
    /// Products with Sigma, exact.
    let doublePrecision: InputFactorOperator<Double>
    let pool: ThreadPool

    var taps: Int { kernel.taps }
    var channels: Int { kernel.inputs }

    /// - Parameter singlePrecisionFrom: the patch size from which on conjugate gradient steps multiply in single
    ///   precision: half the time where it matters. They only ever correct a residual computed in double, so the limit
    ///   of the sweeps is exact all the same.
    init(
        _ kernel: ConvolutionKernel, _ secondMoment: SecondMoment, regularization: Double, pool: ThreadPool,
        singlePrecisionFrom: Int = 512
    ) throws {
        self.kernel = kernel
        self.secondMoment = secondMoment
        self.pool = pool
        let ridge = regularization * secondMoment.matrix.trace / Double(secondMoment.dimension)
        self.ridge = ridge
        var weighted = try kernel.matrix.multiplied(by: secondMoment.matrix, pool: pool)
        withPointers(kernel.matrix, &weighted) { weights, weighted in
            for index in 0..<kernel.parameterCount { weighted[index] += ridge * weights[index] }
        }
        self.energy = kernel.matrix.dot(weighted)
        self.weighted = TapOrder.tapMajor(weighted, taps: kernel.taps, pool: pool)
        self.separation = try SeparatedMoment(
            secondMoment, channels: kernel.inputs, taps: kernel.taps, ridge: ridge, pool: pool)
        self.doublePrecision = InputFactorOperator(
            sigma: secondMoment.matrix.elements, ridge: ridge, channels: kernel.inputs, taps: kernel.taps, pool: pool)
        self.singlePrecision =
            secondMoment.dimension >= singlePrecisionFrom
            ? InputFactorOperator(
                sigma: secondMoment.matrix.elements.map { Float($0) }, ridge: Float(ridge), channels: kernel.inputs,
                taps: kernel.taps, pool: pool) : nil
    }

    func fit(
        outputRank: Int, inputRank: Int, options: DecompositionOptions, checkCancellation: () throws -> Void
    ) throws -> DecompositionFit<Tucker2> {
        try checkCancellation()
        if inputRank == channels {
            // Any basis of all inputs does, and the closed form is the best there is.
            let state = try fitOutputs(.identity(channels), rank: outputRank)
            return DecompositionFit(factors: factors(state), errors: [state.relativeError], converged: true)
        }
        var state = try start(outputRank: outputRank, inputRank: inputRank, options)
        var errors = [state.relativeError]
        var converged = false
        let tolerance = options.tolerance ?? Self.tolerance(order: secondMoment.dimension)
        for _ in 0..<(options.maximumSweeps ?? 50) {
            // Nothing is left to gain below the rounding of the whole.
            if state.relativeError < 1e-13 {
                converged = true
                break
            }
            try checkCancellation()
            let next =
                switch options.update {
                case .joint: try sweep(state, options)
                case .oneBlockAtATime: try sweepByBlocks(state, options)
                }
            // What is left is rounding, which a core that does not tell all input ranks apart can blow up.
            guard next.relativeError <= state.relativeError else {
                converged = true
                break
            }
            state = next
            let gain = errors[errors.count - 1] - state.relativeError
            errors.append(state.relativeError)
            if gain <= tolerance * state.relativeError {
                converged = true
                break
            }
        }
        return DecompositionFit(factors: factors(state), errors: errors, converged: converged)
    }

    /// The part of the squared error that a sweep must gain, for a moment of this order. Small layers are stricter: their
    /// sweeps cost milliseconds, they see more patches than they have dimensions, and one slow sweep among quicker ones,
    /// which the relaxation makes, is no end yet.
    static func tolerance(order: Int) -> Double { order <= 1152 ? 1e-4 : 3e-3 }

    /// The better of two starts, each completed by the closed form: the input factor of the kernel's truncated
    /// higher-order SVD, and that of the norm in which Sigma's channels and taps are taken as independent.
    ///
    /// A random start has random orthonormal columns.
    private func start(outputRank: Int, inputRank: Int, _ options: DecompositionOptions) throws -> State {
        if options.start == .random {
            var random = RandomNumbers(seed: options.seed)
            let inputs = try QRDecomposition(random.normalMatrix(rows: channels, columns: inputRank)).orthonormal
            return try fitOutputs(inputs, rank: outputRank)
        }
        let separated = try separation.leadingInputs(of: kernel, count: inputRank, pool: pool)
        let plain = try HigherOrderOrthogonalIteration(kernel, pool: pool).leadingInputs(count: inputRank)
        let candidates = [try fitOutputs(separated, rank: outputRank), try fitOutputs(plain, rank: outputRank)]
        return candidates[candidates[1].relativeError < candidates[0].relativeError ? 1 : 0]
    }

    /// How many times as far as it asks to the input factor goes. Alternating steps fall short where the two blocks pull
    /// at each other; on ResNet-18's layers this halves the number of sweeps, and 1.5 or 1.85 do as well.
    private static let relaxation = 1.7

    /// A better input factor, then the closed form. The longer step is taken back where it would raise the error.
    private func sweep(_ state: State, _ options: DecompositionOptions) throws -> State {
        let improved = try improvedInputs(
            state.inputs, outputs: state.outputs, core: state.core, steps: options.conjugateGradientSteps ?? 4)
        let further = state.inputs.moved(towards: improved, by: Self.relaxation)
        let relaxed = try fitOutputs(QRDecomposition(further).orthonormal, rank: state.outputs.columns)
        if relaxed.relativeError <= state.relativeError { return relaxed }
        return try fitOutputs(QRDecomposition(improved).orthonormal, rank: state.outputs.columns)
    }

    private func factors(_ state: State) -> Tucker2 {
        Tucker2(
            outputFactor: state.outputs, tapMajorCore: state.core, inputFactor: state.inputs, height: kernel.height,
            width: kernel.width, pool: pool)
    }

    /// A point of the iteration. Both factors have orthonormal columns.
    struct State {
        /// `U_T` `[T, R_T]`.
        var outputs: Matrix
        /// `G`, tap-major `[R_T, h w R_S]`.
        var core: Matrix
        /// `U_S` `[S, R_S]`.
        var inputs: Matrix
        /// The squared relative error in the regularised norm.
        var relativeError: Double
    }
}
