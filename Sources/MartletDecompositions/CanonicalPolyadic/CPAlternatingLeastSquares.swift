import MartletLinearAlgebra
import MartletParallelism

/// CP in the Frobenius norm by alternating least squares, as TensorLy's `parafac`.
///
/// A sweep solves for the output, input, row and column factor in turn. Its large products are two: `W B` for the outputs, and
/// `W^T A` `[S h w, R]`, from which the other three factors' right-hand sides are sums of `S h w R` terms: about
/// `4 T S h w R` operations, plus Gram matrices and solves of `(T + S) R^2` and four Cholesky factors of `R^3 / 3`.
/// TensorLy unfolds and multiplies for each of the four.
///
/// Large kernels take these products in single precision. What their rounding does to the squared error is of second order,
/// and the outputs are solved for once more in double at the end.
///
/// Between sweeps the factors are pushed on along their last movement (Ang, Cohen, Gillis and Hien, "Accelerating block
/// coordinate descent for nonnegative tensor factorization", 2021): plain ALS crawls where terms overlap. A sweep from
/// such a point that ends above the last error is done again from where the last one ended.
struct CPAlternatingLeastSquares {
    let kernel: ConvolutionKernel
    let pool: ThreadPool
    private let energy: Double
    /// `W` in single precision, where products are.
    private let single: [Float]?

    /// - Parameter singlePrecisionFrom: the patch size from which on products are in single precision.
    init(_ kernel: ConvolutionKernel, pool: ThreadPool, singlePrecisionFrom: Int = 512) {
        self.kernel = kernel
        self.pool = pool
        self.energy = kernel.matrix.squaredNorm
        self.single = kernel.patchSize >= singlePrecisionFrom ? kernel.floatElements : nil
    }

    func fit(
        from start: CanonicalPolyadic, maximumSweeps: Int, tolerance: Double, checkCancellation: () throws -> Void
    ) throws -> DecompositionFit<CanonicalPolyadic> {
        try checkCancellation()
        var current = start.withUnitPatches()
        var errors = [try error(of: current)]
        var converged = energy == 0
        var momentum = Momentum()
        var previous = current
        var calm = 0
        while !converged, errors.count <= maximumSweeps {
            try checkCancellation()
            let factor = errors.count > 1 ? momentum.factor : 0
            let ahead = factor > 0 ? current.moved(beyond: previous, by: factor) : current
            var next = try sweep(ahead)
            let last = errors[errors.count - 1]
            if factor > 0 {
                if next.error > last {
                    momentum.failed()
                    next = try sweep(current)
                } else {
                    momentum.succeeded()
                }
            }
            // What is left is rounding, and the last point the better one.
            if next.error > last {
                converged = true
                break
            }
            previous = current
            current = next.factors
            errors.append(next.error)
            // One slow sweep may be the one that had to be done again.
            calm = last - next.error <= tolerance * next.error ? calm + 1 : 0
            converged = calm == 2 || next.error < 1e-14
        }
        if single != nil, errors.count > 1 {
            // Of two that differ by rounding, the one whose error is exact.
            current = try withExactOutputs(current)
            errors[errors.count - 1] = min(try error(of: current), errors[errors.count - 2])
        }
        return DecompositionFit(factors: current, errors: errors, converged: converged)
    }

    private func withExactOutputs(_ factors: CanonicalPolyadic) throws -> CanonicalPolyadic {
        let taps = KhatriRao.taps(rows: factors.rows, columns: factors.columns)
        let patches = KhatriRao.expanded(inputs: factors.inputs, taps: taps, pool: pool)
        let system = factors.inputs.gram(transposed: true, pool: pool)
            .timesElements(of: factors.rows.gram(transposed: true))
            .timesElements(of: factors.columns.gram(transposed: true))
        let outputs = try CPNormalEquations.solve(
            system, kernel.matrix.multiplied(by: patches, pool: pool), previous: factors.outputs, pool: pool)
        return CanonicalPolyadic(
            outputs: outputs, inputs: factors.inputs, rows: factors.rows, columns: factors.columns)
    }

    /// How far beyond its last movement the next sweep starts.
    private struct Momentum {
        var factor = 0.5
        private var ceiling = 1.0
        mutating func succeeded() {
            ceiling = min(1, ceiling * 1.02)
            factor = min(ceiling, factor * 1.1)
        }
        mutating func failed() {
            ceiling = factor
            factor /= 2
        }
    }

    private func error(of factors: CanonicalPolyadic) throws -> Double {
        let difference = kernel.matrix.moved(along: try factors.reconstructed(pool: pool).matrix, by: -1)
        return ratio(difference.squaredNorm, of: energy)
    }

    /// Each factor in turn, the best for the others; the vectors of inputs, rows and columns have norm 1 afterwards.
    func sweep(_ start: CanonicalPolyadic) throws -> (factors: CanonicalPolyadic, error: Double) {
        var (inputs, rows, columns) = (start.inputs, start.rows, start.columns)
        var inputGram = inputs.gram(transposed: true, pool: pool)
        var rowGram = rows.gram(transposed: true)
        var columnGram = columns.gram(transposed: true)
        func solved(_ right: Matrix, _ grams: [Matrix], _ previous: Matrix) throws -> Matrix {
            let system = grams.dropFirst().reduce(grams[0]) { $0.timesElements(of: $1) }
            return try CPNormalEquations.solve(system, right, previous: previous, pool: pool)
        }

        let taps = KhatriRao.taps(rows: rows, columns: columns)
        let outputs = try solved(
            product(inputs: inputs, taps: taps), [inputGram, rowGram, columnGram], start.outputs)
        let outputGram = outputs.gram(transposed: true, pool: pool)

        let image = image(outputs)
        inputs = try solved(image.summedOverTaps(taps), [outputGram, rowGram, columnGram], inputs)
        inputGram = inputs.gram(transposed: true, pool: pool)
        let byTap = image.summedOverInputs(inputs)
        let both = outputGram.timesElements(of: inputGram)
        rows = try solved(KhatriRao.summedOver(columns, overRows: false, of: byTap), [both, columnGram], rows)
        rowGram = rows.gram(transposed: true)
        let right = KhatriRao.summedOver(rows, overRows: true, of: byTap)
        let system = both.timesElements(of: rowGram)
        columns = try CPNormalEquations.solve(system, right, previous: columns, pool: pool)
        columnGram = columns.gram(transposed: true)

        let error = max(0, energy - 2 * right.dot(columns) + system.dot(columnGram))
        let factors = CanonicalPolyadic(outputs: outputs, inputs: inputs, rows: rows, columns: columns)
        return (factors.withUnitPatches(), ratio(error, of: energy))
    }

    // MARK: Products

    /// `W B` `[T, R]`.
    private func product(inputs: Matrix, taps: Matrix) throws -> Matrix {
        guard let single else {
            let patches = KhatriRao.expanded(inputs: inputs, taps: taps, pool: pool)
            return try kernel.matrix.multiplied(by: patches, pool: pool)
        }
        let (order, rank) = (kernel.patchSize, inputs.columns)
        var patches = [Float](repeating: 0, count: order * rank)
        withPointers(inputs.floats, taps.floats, &patches) { inputs, taps, patches in
            KhatriRao.addExpanded(
                inputs: inputs, taps: taps, channels: kernel.inputs, tapCount: kernel.taps, rank: rank, into: patches,
                pool: pool)
        }
        var result = [Float](repeating: 0, count: kernel.outputs * rank)
        withPointers(single, patches, &result) { kernel_, patches, result in
            BLAS.gemm(
                pool: pool, m: kernel.outputs, n: rank, k: order, a: kernel_, lda: order, b: patches, ldb: rank,
                c: result, ldc: rank)
        }
        return try Matrix(rows: kernel.outputs, columns: rank, elements: result.map { Double($0) })
    }

    /// `W^T A` `[S h w, R]` in one of the two precisions.
    private enum Image {
        case double([Double], CPAlternatingLeastSquares)
        case single([Float], CPAlternatingLeastSquares)

        func summedOverTaps(_ taps: Matrix) -> Matrix {
            switch self {
            case .double(let image, let problem): problem.summedOverTaps(image, taps.elements) { $0 }
            case .single(let image, let problem): problem.summedOverTaps(image, taps.floats) { $0.map { Double($0) } }
            }
        }

        func summedOverInputs(_ inputs: Matrix) -> Matrix {
            switch self {
            case .double(let image, let problem): problem.summedOverInputs(image, inputs.elements) { $0 }
            case .single(let image, let problem):
                problem.summedOverInputs(image, inputs.floats) { $0.map { Double($0) } }
            }
        }
    }

    private func image(_ outputs: Matrix) -> Image {
        if let single { return .single(image(single, outputs.floats), self) }
        return .double(image(kernel.elements, outputs.elements), self)
    }

    private func image<Scalar: BLASScalar>(_ weights: [Scalar], _ outputs: [Scalar]) -> [Scalar] {
        let (order, rank) = (kernel.patchSize, outputs.count / kernel.outputs)
        var result = [Scalar](repeating: 0, count: order * rank)
        withPointers(weights, outputs, &result) { weights, outputs, result in
            Scalar.gemm(
                pool: pool, transposeA: true, transposeB: false, m: order, n: rank, k: kernel.outputs, a: weights,
                lda: order, b: outputs, ldb: rank, beta: 0, c: result, ldc: rank)
        }
        return result
    }

    private func summedOverTaps<Scalar: BLASScalar>(
        _ image: [Scalar], _ taps: [Scalar], _ convert: ([Scalar]) -> [Double]
    ) -> Matrix {
        let rank = taps.count / kernel.taps
        var sums = [Scalar](repeating: 0, count: kernel.inputs * rank)
        withPointers(image, taps, &sums) { image, taps, sums in
            KhatriRao.summedOverTaps(
                image, taps: taps, channels: kernel.inputs, tapCount: kernel.taps, rank: rank, into: sums, pool: pool)
        }
        return matrix(convert(sums), rows: kernel.inputs, columns: rank)
    }

    private func summedOverInputs<Scalar: BLASScalar>(
        _ image: [Scalar], _ inputs: [Scalar], _ convert: ([Scalar]) -> [Double]
    ) -> Matrix {
        let rank = inputs.count / kernel.inputs
        var sums = [Scalar](repeating: 0, count: kernel.taps * rank)
        withPointers(image, inputs, &sums) { image, inputs, sums in
            KhatriRao.summedOverInputs(
                image, inputs: inputs, channels: kernel.inputs, tapCount: kernel.taps, rank: rank, into: sums,
                pool: pool)
        }
        return matrix(convert(sums), rows: kernel.taps, columns: rank)
    }

    private func matrix(_ elements: [Double], rows: Int, columns: Int) -> Matrix {
        var result = Matrix(rows: rows, columns: columns)
        result.withMutableElements { target in
            for index in 0..<target.count { target[index] = elements[index] }
        }
        return result
    }
}

extension CanonicalPolyadic {
    /// Beyond `self`, coming from `other`, in the factors of inputs, rows and columns; the next sweep solves for the
    /// outputs first.
    fileprivate func moved(beyond other: CanonicalPolyadic, by factor: Double) -> CanonicalPolyadic {
        CanonicalPolyadic(
            outputs: outputs, inputs: other.inputs.moved(towards: inputs, by: 1 + factor),
            rows: other.rows.moved(towards: rows, by: 1 + factor),
            columns: other.columns.moved(towards: columns, by: 1 + factor))
    }
}
