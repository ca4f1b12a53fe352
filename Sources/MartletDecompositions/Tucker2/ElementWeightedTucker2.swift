import MartletLinearAlgebra
import MartletParallelism

/// Tucker-2 with a weight for every element of the kernel, `sum_i F_i (W_i - V_i)^2`: FW-LRA, where the weights are the
/// diagonal of the Fisher information (paper, 5.4).
///
/// No change of basis makes that a norm with a closed form, so the three factors are improved in turns, each by a few
/// steps of conjugate gradients on its weighted least squares problem, which is convex: the error never rises. The basis
/// of the unweighted problem is the preconditioner. A step costs about four products of `T x R_T x S h w`.
struct ElementWeightedTucker2 {
    /// `W` as `[T, h w S]`.
    private let kernel: Matrix
    /// `F` likewise, with mean 1.
    private let weights: Matrix
    private let shape: ConvolutionKernel
    private let pool: ThreadPool

    /// The smallest weight, as a part of the mean: less would leave factors free to be anything.
    private static let leastWeight = 1e-3

    /// - Parameter weights: `[T, S, h, w]`, not negative. All zero says nothing, and every element counts alike.
    init(_ kernel: ConvolutionKernel, weights: Matrix, pool: ThreadPool) throws(DecompositionError) {
        guard weights.rows == kernel.outputs, weights.columns == kernel.patchSize else {
            throw .elementCountMismatch(shape: kernel.shape, count: weights.rows * weights.columns)
        }
        for weight in weights.elements where !(weight >= 0 && weight.isFinite) {
            throw .optionOutOfRange(option: "the weight of an element", value: weight, range: "0 ...")
        }
        let mean = weights.elements.reduce(0, +) / Double(weights.elements.count)
        var scaled = weights
        scaled.withMutableElements { elements in
            for index in elements.indices {
                elements[index] = mean > 0 ? max(elements[index] / mean, Self.leastWeight) : 1
            }
        }
        self.kernel = TapOrder.tapMajor(kernel.matrix, taps: kernel.taps, pool: pool)
        self.weights = TapOrder.tapMajor(scaled, taps: kernel.taps, pool: pool)
        self.shape = kernel
        self.pool = pool
    }

    func fit(
        outputRank: Int, inputRank: Int, options: DecompositionOptions, checkCancellation: () throws -> Void
    ) throws -> DecompositionFit<Tucker2> {
        var start = options
        start.maximumSweeps = options.maximumSweeps.map { min($0, 5) } ?? 5
        var factors = try HigherOrderOrthogonalIteration(shape, pool: pool).fit(
            outputRank: outputRank, inputRank: inputRank, options: start, checkCancellation: checkCancellation
        ).factors
        let energy = kernel.dot(kernel.timesElements(of: weights))
        var errors = [ratio(try error(of: factors), of: energy)]
        var converged = false
        let steps = options.conjugateGradientSteps ?? 8
        for _ in 0..<(options.maximumSweeps ?? 50) {
            try checkCancellation()
            factors = try sweep(factors, steps: steps)
            errors.append(ratio(try error(of: factors), of: energy))
            if errors[errors.count - 2] - errors[errors.count - 1] <= (options.tolerance ?? 1e-3)
                * errors[errors.count - 1]
            {
                converged = true
                break
            }
        }
        return DecompositionFit(factors: factors, errors: errors, converged: converged)
    }

    /// `sum F (W - V)^2`.
    private func error(of factors: Tucker2) throws -> Double {
        let approximation = TapOrder.tapMajor(
            factors.reconstructed(pool: pool).matrix, taps: shape.taps, pool: pool)
        let difference = kernel.moved(along: approximation, by: -1)
        return difference.dot(difference.timesElements(of: weights))
    }

    /// Each factor improved once.
    private func sweep(_ factors: Tucker2, steps: Int) throws -> Tucker2 {
        let (taps, channels, outputs) = (shape.taps, shape.inputs, shape.outputs)
        var outputFactor = factors.outputFactor
        var inputFactor = factors.inputFactor
        // `[R_T, h w R_S]`.
        var core = TapOrder.tapMajor(factors.core.matrix, taps: taps, pool: pool)
        let (outputRank, inputRank) = (outputFactor.columns, inputFactor.columns)

        // The output factor: V = U_T B with B the core expanded, and B B^T = G G^T for an orthonormal U_S.
        let expanded = try expanding(core, by: inputFactor)
        outputFactor = try improve(
            outputFactor, steps: steps, preconditioner: inverseGram(core.gram(pool: pool)),
            apply: { try $0.multiplied(by: expanded, pool: pool) },
            adjoint: { try $0.multiplied(by: expanded, otherTransposed: true, pool: pool) })
        let outputQR = try QRDecomposition(outputFactor)
        outputFactor = outputQR.orthonormal
        core = try outputQR.triangular.multiplied(by: core, pool: pool)

        // The input factor: V as [T h w, S] is H U_S^T with H = U_T G as [T h w, R_S].
        let mixed = try reshaped(outputFactor.multiplied(by: core, pool: pool), outputs * taps, inputRank)
        inputFactor = try improve(
            inputFactor, steps: steps,
            preconditioner: inverseGram(mixed.gram(transposed: true, pool: pool)),
            apply: {
                try reshaped(mixed.multiplied(by: $0, otherTransposed: true, pool: pool), outputs, taps * channels)
            },
            adjoint: {
                try reshaped($0, outputs * taps, channels).multiplied(by: mixed, transposed: true, pool: pool)
            })
        let inputQR = try QRDecomposition(inputFactor)
        inputFactor = inputQR.orthonormal
        core = try reshaped(
            reshaped(core, outputRank * taps, inputRank).multiplied(
                by: inputQR.triangular, otherTransposed: true, pool: pool), outputRank, taps * inputRank)

        // The core, between two orthonormal factors.
        let (left, right) = (outputFactor, inputFactor)
        core = try improve(
            core, steps: steps, preconditioner: nil,
            apply: { try left.multiplied(by: expanding($0, by: right), pool: pool) },
            adjoint: {
                let reduced = try left.multiplied(by: $0, transposed: true, pool: pool)
                return try reshaped(
                    reshaped(reduced, outputRank * taps, channels).multiplied(by: right, pool: pool), outputRank,
                    taps * inputRank)
            })
        return Tucker2(
            outputFactor: outputFactor, tapMajorCore: core, inputFactor: inputFactor, height: shape.height,
            width: shape.width, pool: pool)
    }

    /// Conjugate gradients on `sum F (W - apply(X))^2`, from `block`.
    /// - Parameter preconditioner: what a gradient is multiplied with from the right.
    private func improve(
        _ block: Matrix, steps: Int, preconditioner: Matrix?, apply: (Matrix) throws -> Matrix,
        adjoint: (Matrix) throws -> Matrix
    ) throws -> Matrix {
        func preconditioned(_ gradient: Matrix) throws -> Matrix {
            try preconditioner.map { try gradient.multiplied(by: $0, pool: pool) } ?? gradient
        }
        var iterate = block
        var residual = kernel.moved(along: try apply(block), by: -1)
        var gradient = try adjoint(residual.timesElements(of: weights))
        var direction = try preconditioned(gradient)
        var slope = gradient.dot(direction)
        for _ in 0..<steps where slope > 0 {
            let change = try apply(direction)
            let curvature = change.dot(change.timesElements(of: weights))
            guard curvature > 0 else { break }
            let length = slope / curvature
            iterate = iterate.moved(along: direction, by: length)
            residual = residual.moved(along: change, by: -length)
            gradient = try adjoint(residual.timesElements(of: weights))
            let next = try preconditioned(gradient)
            let nextSlope = gradient.dot(next)
            direction = next.moved(along: direction, by: nextSlope / slope)
            slope = nextSlope
        }
        return iterate
    }

    /// The inverse of a Gram matrix, with a ridge where it is singular to rounding.
    private func inverseGram(_ gram: Matrix) throws -> Matrix? {
        let order = gram.rows
        guard gram.trace > 0 else { return nil }
        var regular = gram
        let ridge = 1e-10 * gram.trace / Double(order)
        regular.withMutableElements { elements in
            for index in 0..<order { elements[index * order + index] += ridge }
        }
        return try CholeskyDecomposition(regular).solve(.identity(order), pool: pool)
    }

    /// `[R, h w R_S]` times `U_S^T` `[R_S, S]`, tap by tap.
    private func expanding(_ core: Matrix, by inputs: Matrix) throws -> Matrix {
        let rows = core.rows
        return try reshaped(
            reshaped(core, rows * shape.taps, inputs.columns).multiplied(by: inputs, otherTransposed: true, pool: pool),
            rows, shape.taps * inputs.rows)
    }

    private func reshaped(_ matrix: Matrix, _ rows: Int, _ columns: Int) throws -> Matrix {
        try Matrix(rows: rows, columns: columns, elements: matrix.elements)
    }
}

extension Tucker2 {
    /// The Tucker-2 form that minimises `sum_i F_i (W_i - V_i)^2`, with a weight for each element of the kernel: FW-LRA, where
    /// the weights are the diagonal of the Fisher information (paper, 5.4), as far as alternating least squares finds it.
    /// Elements that weigh less than a thousandth of the mean are taken as that much.
    /// - Parameter elementWeights: `F` `[T, S h w]`.
    /// - Throws: as ``fit(_:outputRank:inputRank:norm:options:pool:checkCancellation:)``, and for a weight that is
    ///   negative or not finite, or if there is not one for each element.
    public static func fit(
        _ kernel: ConvolutionKernel, outputRank: Int, inputRank: Int, elementWeights: Matrix,
        options: DecompositionOptions = .init(), pool: ThreadPool, checkCancellation: () throws -> Void = {}
    ) throws -> DecompositionFit<Tucker2> {
        try options.validate()
        try DecompositionForm.tucker2.check(ranks: [outputRank, inputRank], of: kernel.shape)
        let problem = try ElementWeightedTucker2(kernel, weights: elementWeights, pool: pool)
        return try options.bestOfStarts { options in
            try problem.fit(
                outputRank: outputRank, inputRank: inputRank, options: options, checkCancellation: checkCancellation)
        }
    }
}
