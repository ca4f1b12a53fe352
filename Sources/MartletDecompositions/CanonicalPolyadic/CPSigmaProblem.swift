import MartletLinearAlgebra
import MartletParallelism

/// CP in the norm of a second moment: minimise `tr((W - V) Sigma (W - V)^T)` over `V = A B^T`, the columns of `B` being
/// products of a vector of inputs, one of rows and one of columns (paper, Algorithm 1 and B.2).
///
/// Everything happens in the coordinates of a ``Whitening``, where `Sigma` is about the identity: the start is CP in the
/// Frobenius norm there, whose sweeps cost a fraction of one with the true moment.
///
/// Given `B`, the output factor solves `A (B^T Sigma B) = W Sigma B`. All factors move together by a Gauss-Newton step, damped
/// so that it lowers the error (Levenberg and Marquardt), its linear system approached by conjugate gradients that only
/// multiply by `Sigma`; of what it says the patches are taken, and the output factor is solved for anew. A step that raises
/// the error is not taken.
struct CPSigmaProblem {
    let whitening: Whitening
    /// `W F`.
    let kernel: ConvolutionKernel
    /// `F^-1 Sigma F^-T`, the ridge included.
    let sigma: Matrix
    /// The same in the precision of the conjugate gradient steps.
    let singleSigma: [Float]?
    /// `W Sigma`.
    let weighted: Matrix
    /// `tr(W Sigma W^T)`.
    let energy: Double
    let pool: ThreadPool

    /// - Parameter singlePrecisionFrom: the patch size from which on conjugate gradient steps multiply in single
    ///   precision. They only ever correct a residual computed in double.
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
        self.singleSigma =
            secondMoment.dimension >= singlePrecisionFrom ? sigma.elements.map { Float($0) } : nil
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

    /// About what a fit would leave, from the beginning of one: an upper bound.
    func estimatedError(
        rank: Int, options: DecompositionOptions, checkCancellation: () throws -> Void
    ) throws -> Double {
        var options = options
        options.isBrief = true
        options.isBounded = false
        return try fit(rank: rank, options: options, checkCancellation: checkCancellation).errors.last ?? 1
    }

    func fit(
        rank: Int, options: DecompositionOptions, checkCancellation: () throws -> Void
    ) throws -> DecompositionFit<CanonicalPolyadic> {
        try checkCancellation()
        let start: CanonicalPolyadic =
            switch options.start {
            case .singularVectors:
                try CPStart.singularVectors(kernel, rank: rank, seed: options.seed, pool: pool)
            case .random: CPStart.random(kernel, rank: rank, seed: options.seed)
            }
        let tolerance = options.tolerance ?? Self.tolerance
        let most = options.maximumSweeps
        let (warmSweeps, sweeps) =
            options.isBrief ? (15, 2) : (min(Self.warmSweeps, most ?? Self.warmSweeps), most ?? Self.maximumSweeps)
        let warm = try CPAlternatingLeastSquares(kernel, pool: pool).fit(
            from: start, maximumSweeps: warmSweeps,
            tolerance: tolerance, checkCancellation: checkCancellation)
        var state = try fitOutputs(warm.factors)
        var errors = [state.error]
        var converged = energy == 0
        var damping = Damping()
        var calm = 0
        while !converged, errors.count <= sweeps {
            try checkCancellation()
            let next: State?
            switch options.update {
            case .joint:
                next = try sweep(state, steps: options.conjugateGradientSteps ?? Self.steps, &damping)
            case .oneBlockAtATime: next = try sweepByBlocks(state, steps: options.conjugateGradientSteps ?? 100)
            }
            guard let next, next.error <= state.error else {
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
        if options.isBounded { state = try bounded(state, checkCancellation: checkCancellation) }
        return DecompositionFit(
            factors: try whitening.restored(state.factors), errors: errors, converged: converged)
    }

    /// Sweeps in the Frobenius norm of the whitened kernel before the first with the moment itself.
    private static let warmSweeps = 40
    private static let maximumSweeps = 15
    private static let steps = 25
    private static let tolerance = 5e-3

    /// The best output factor for the patches of `factors`, whose own is not looked at but where the system is singular.
    func fitOutputs(_ factors: CanonicalPolyadic) throws -> State {
        let parts = try outputEquations(factors)
        let outputs = try CPNormalEquations.solve(
            parts.system, parts.right, previous: parts.unit.outputs, pool: pool)
        return try state(parts, outputs: outputs)
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
            unit: unit, image: image, system: try patches.multiplied(by: image, transposed: true, pool: pool),
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

    // MARK: All patches at once

    /// How strongly a step is held back, learnt from how the last ones fared.
    struct Damping {
        var value = 1e-2
    }

    /// One damped Gauss-Newton step of the patches and the output factor for them; nil if no step lowers the error.
    private func sweep(_ state: State, steps: Int, _ damping: inout Damping) throws -> State? {
        let model = try LocalModel(self, state)
        for _ in 0..<6 {
            let step = try model.step(damping: damping.value, steps: steps)
            let next = try fitOutputs(model.moved(by: step))
            if next.error < state.error {
                damping.value = max(1e-6, damping.value / 3)
                return next
            }
            damping.value *= 10
        }
        return nil
    }

    /// The error near a point as a quadratic function of the patches' factors.
    struct LocalModel {
        private let problem: CPSigmaProblem
        private let state: State
        private let point: CPVector<Double>
        private let gradient: CPVector<Double>
        private let double: CPTangent<Double>
        private let single: CPTangent<Float>?
        /// What the blocks' normal equations would be for a moment that is the identity, and their roots.
        private let systems: [Matrix]
        private let roots: [Matrix]
        private let blocks: [CPVector<Double>.Block]

        /// Only these blocks move.
        init(
            _ problem: CPSigmaProblem, _ state: State,
            blocks: [CPVector<Double>.Block] = CPVector<Double>.Block.allCases
        )
            throws
        {
            let (factors, pool) = (state.factors, problem.pool)
            self.problem = problem
            self.state = state
            self.blocks = blocks
            self.point = CPVector(factors)
            let movesOutputs = blocks.contains(.outputs)
            self.double = CPTangent(
                at: point, movesOutputs: movesOutputs, sigma: problem.sigma.elements, pool: pool)
            self.single = problem.singleSigma.map { [point] sigma in
                CPTangent(
                    at: point.converted(to: Float.self), movesOutputs: movesOutputs, sigma: sigma, pool: pool)
            }
            // (W - V) Sigma: the output factor's step has left Sigma B.
            let fitted = try factors.outputs.multiplied(by: state.image, otherTransposed: true, pool: pool)
            let residual = problem.weighted.moved(along: fitted, by: -1)
            self.gradient = double.gradient(residual.elements).keeping(blocks)
            let output = factors.outputs.gram(transposed: true, pool: pool)
            let input = factors.inputs.gram(transposed: true, pool: pool)
            let row = factors.rows.gram(transposed: true)
            let column = factors.columns.gram(transposed: true)
            let systems = [
                output.timesElements(of: row).timesElements(of: column),
                output.timesElements(of: input).timesElements(of: column),
                output.timesElements(of: input).timesElements(of: row),
                input.timesElements(of: row).timesElements(of: column),
            ].map { $0.addingToDiagonal(1e-7 * $0.trace / Double($0.rows) + .leastNormalMagnitude) }
            self.systems = systems
            self.roots = try systems.map { try CholeskyDecomposition($0).factor }
        }

        /// The step from the point, by so many conjugate gradient steps from zero.
        func step(damping: Double, steps: Int, tolerance: Double = 1e-2) throws -> CPVector<Double> {
            let solution = try ConjugateGradients.solve(
                rightHandSide: gradient.elements, maximumIterations: steps, tolerance: tolerance,
                preconditioner: { preconditioned($0) },
                operator: { elements in
                    let direction = point.with(elements)
                    var image: CPVector<Double>
                    if let single {
                        image = single.applied(to: direction.converted(to: Float.self)).converted(to: Double.self)
                    } else {
                        image = double.applied(to: direction)
                    }
                    image = image.keeping(blocks)
                    if damping > 0 { addDamping(damping, elements, to: &image.elements) }
                    return image.elements
                })
            return point.with(solution.iterate)
        }

        func moved(by step: CPVector<Double>) throws -> CanonicalPolyadic {
            var result = point
            for index in result.elements.indices { result.elements[index] += step.elements[index] }
            return try result.factors()
        }

        private func preconditioned(_ residual: [Double]) -> [Double] {
            var result = residual
            let rank = point.rank
            for (block, root) in zip(CPVector<Double>.Block.allCases, roots) {
                let range = point.range(of: block)
                let rows = range.count / rank
                root.elements.withUnsafeBufferPointer { root in
                    result.withUnsafeMutableBufferPointer { result in
                        guard let root = root.baseAddress, let base = result.baseAddress else { return }
                        for transposed in [true, false] {
                            BLAS.trsm(
                                pool: problem.pool, side: .right, triangle: .lower, transposeA: transposed, m: rows,
                                n: rank, a: root, lda: rank, b: base + range.lowerBound, ldb: rank)
                        }
                    }
                }
            }
            return result
        }

        private func addDamping(_ damping: Double, _ direction: [Double], to image: inout [Double]) {
            let rank = point.rank
            for (block, system) in zip(CPVector<Double>.Block.allCases, systems) {
                let range = point.range(of: block)
                withPointers(direction, system.elements, &image) { direction, system, image in
                    BLAS.gemm(
                        pool: problem.pool, m: range.count / rank, n: rank, k: rank, alpha: damping,
                        a: direction + range.lowerBound, lda: rank, b: system, ldb: rank, beta: 1,
                        c: image + range.lowerBound, ldc: rank)
                }
            }
        }
    }

    // MARK: One block at a time

    /// One sweep of the paper's Algorithm 1: the factors of inputs, rows and columns, each the best for the others, and the
    /// output factor.
    func sweepByBlocks(_ state: State, steps: Int) throws -> State {
        var state = state
        for block in [CPVector<Double>.Block.inputs, .rows, .columns] {
            state = try improved(state, block, steps: steps)
        }
        return try fitOutputs(state.factors)
    }

    /// The best factor of one block for the others, by conjugate gradients on its normal equations.
    func improved(_ state: State, _ block: CPVector<Double>.Block, steps: Int) throws -> State {
        let model = try LocalModel(self, state, blocks: [block])
        let factors = try model.moved(by: model.step(damping: 0, steps: steps, tolerance: 1e-12))
        let patches = KhatriRao.expanded(
            inputs: factors.inputs, taps: KhatriRao.taps(rows: factors.rows, columns: factors.columns), pool: pool)
        return State(factors: factors, image: try sigma.multiplied(by: patches, pool: pool), error: state.error)
    }
}
