import MartletLinearAlgebra
import MartletParallelism

/// CP in the Frobenius norm by alternating least squares, as TensorLy's `parafac`.
///
/// A sweep solves for the output, input, row and column factor in turn. Its large products are two: `W B` for the outputs, and
/// `W^T A` `[S h w, R]`, from which the other three factors' right-hand sides are sums of `S h w R` terms: about
/// `4 T S h w R` operations, plus Gram matrices and solves of `(T + S) R^2` and four Cholesky factors of `R^3 / 3`.
/// TensorLy unfolds and multiplies for each of the four.
///
/// Between sweeps the factors are pushed on along their last movement (Ang, Cohen, Gillis and Hien, "Accelerating block
/// coordinate descent for nonnegative tensor factorization", 2021): plain ALS crawls where terms overlap. A sweep from
/// such a point that ends above the last error is done again from where the last one ended.
struct CPAlternatingLeastSquares {
    let kernel: ConvolutionKernel
    let pool: ThreadPool
    private let energy: Double

    init(_ kernel: ConvolutionKernel, pool: ThreadPool) {
        self.kernel = kernel
        self.pool = pool
        self.energy = kernel.matrix.squaredNorm
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
        return DecompositionFit(factors: current, errors: errors, converged: converged)
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
        let (rank, channels, tapCount) = (start.rank, kernel.inputs, kernel.taps)
        var (inputs, rows, columns) = (start.inputs, start.rows, start.columns)
        var inputGram = inputs.gram(transposed: true, pool: pool)
        var rowGram = rows.gram(transposed: true)
        var columnGram = columns.gram(transposed: true)
        func solved(_ right: Matrix, _ grams: [Matrix], _ previous: Matrix) throws -> Matrix {
            let system = grams.dropFirst().reduce(grams[0]) { $0.timesElements(of: $1) }
            return try CPNormalEquations.solve(system, right, previous: previous, pool: pool)
        }

        var taps = KhatriRao.taps(rows: rows, columns: columns)
        let patches = KhatriRao.expanded(inputs: inputs, taps: taps, pool: pool)
        let outputs = try solved(
            kernel.matrix.multiplied(by: patches, pool: pool), [inputGram, rowGram, columnGram], start.outputs)
        let outputGram = outputs.gram(transposed: true, pool: pool)

        let image = try kernel.matrix.multiplied(by: outputs, transposed: true, pool: pool)
        var sums = Matrix(rows: channels, columns: rank)
        withPointers(image, taps, &sums) { image, taps, sums in
            KhatriRao.summedOverTaps(
                image, taps: taps, channels: channels, tapCount: tapCount, rank: rank, into: sums, pool: pool)
        }
        inputs = try solved(sums, [outputGram, rowGram, columnGram], inputs)
        inputGram = inputs.gram(transposed: true, pool: pool)

        withPointers(image, inputs, &taps) { image, inputs, taps in
            KhatriRao.summedOverInputs(
                image, inputs: inputs, channels: channels, tapCount: tapCount, rank: rank, into: taps, pool: pool)
        }
        let both = outputGram.timesElements(of: inputGram)
        rows = try solved(KhatriRao.summedOver(columns, overRows: false, of: taps), [both, columnGram], rows)
        rowGram = rows.gram(transposed: true)
        let right = KhatriRao.summedOver(rows, overRows: true, of: taps)
        let system = both.timesElements(of: rowGram)
        columns = try CPNormalEquations.solve(system, right, previous: columns, pool: pool)
        columnGram = columns.gram(transposed: true)

        let error = max(0, energy - 2 * right.dot(columns) + system.dot(columnGram))
        let factors = CanonicalPolyadic(outputs: outputs, inputs: inputs, rows: rows, columns: columns)
        return (factors.withUnitPatches(), ratio(error, of: energy))
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
