import MartletLinearAlgebra
import MartletParallelism

/// CP one term at a time: each is the best rank-one tensor for what the ones before left, and is never touched again
/// (tensor deflation; paper, 5.1; Denton et al. 2014).
///
/// A term `t b^T`, `b = s * c * d`, is found in turns: `t` for `b`, the input vector `s` for `t` and the window's, the window's
/// two for `t` and `s`. Under a second moment that happens in the coordinates of a ``Whitening``. What the terms so far
/// left is only needed as `F = (W - V) Sigma` `[T, S h w]`, from which a term takes `t (Sigma b)^T`. A turn costs three
/// passes over `Sigma` in single precision (one product with a vector for each of two conjugate gradient steps, and one
/// with a vector for each tap) and two over `F`; memory is what it waits for.
struct RankOneDeflation {
    let kernel: ConvolutionKernel
    /// `Sigma`; nil is the identity.
    let sigma: Matrix?
    private let singleSigma: [Float]
    let pool: ThreadPool
    private var channels: Int { kernel.inputs }
    private var taps: Int { kernel.taps }

    init(_ kernel: ConvolutionKernel, sigma: Matrix?, pool: ThreadPool) {
        self.kernel = kernel
        self.sigma = sigma
        self.singleSigma = sigma?.elements.map { Float($0) } ?? []
        self.pool = pool
    }

    func fit(rank: Int, checkCancellation: () throws -> Void) throws -> DecompositionFit<CanonicalPolyadic> {
        var left = try sigma.map { try kernel.matrix.multiplied(by: $0, pool: pool) } ?? kernel.matrix
        let energy = kernel.matrix.dot(left)
        var outputs = Matrix(rows: kernel.outputs, columns: rank)
        var inputs = Matrix(rows: channels, columns: rank)
        var rows = Matrix(rows: kernel.height, columns: rank)
        var columns = Matrix(rows: kernel.width, columns: rank)
        var errors = [ratio(energy, of: energy)]
        var error = energy
        for index in 0..<rank {
            try checkCancellation()
            guard let term = try bestTerm(of: left) else { break }
            for t in 0..<kernel.outputs { outputs[t, index] = term.output[t] }
            for s in 0..<channels { inputs[s, index] = term.input[s] }
            for i in 0..<kernel.height { rows[i, index] = term.row[i] }
            for j in 0..<kernel.width { columns[j, index] = term.column[j] }
            let image = try self.image(of: term.patch)
            // The best output vector for the exact product, so that the gain is exact too.
            let scale = zip(term.patch, image).reduce(0) { $0 + $1.0 * $1.1 }
            let output = product(left, term.patch).map { $0 / scale }
            for t in 0..<kernel.outputs { outputs[t, index] = output[t] }
            error -= scale * output.reduce(0) { $0 + $1 * $1 }
            errors.append(ratio(max(0, error), of: energy))
            left.withMutableElements { left in
                for t in 0..<output.count {
                    for d in 0..<image.count { left[t * image.count + d] -= output[t] * image[d] }
                }
            }
        }
        return DecompositionFit(
            factors: CanonicalPolyadic(outputs: outputs, inputs: inputs, rows: rows, columns: columns), errors: errors,
            converged: true)
    }

    /// A rank-one tensor.
    private struct Term {
        var output: [Double]
        var input: [Double]
        var row: [Double]
        var column: [Double]
        var tap: [Double] { row.flatMap { row in column.map { row * $0 } } }
        var patch: [Double] {
            let tap = tap
            return input.flatMap { input in tap.map { input * $0 } }
        }
    }

    /// The most turns on one term, and the part of the gain that a turn must add.
    private static let maximumTurns = 6
    private static let tolerance = 1e-2

    private func bestTerm(of left: Matrix) throws -> Term? {
        guard var term = try start(left) else { return nil }
        var gain = 0.0
        var tapImage = try self.tapImage(of: term.input)
        for _ in 0..<Self.maximumTurns {
            let patch = term.patch
            // Sigma b.
            let image = combined(tapImage, term.tap)
            let scale = zip(patch, image).reduce(0) { $0 + $1.0 * $1.1 }
            if !(scale > 0) { return gain > 0 ? term : nil }
            term.output = product(left, patch).map { $0 / scale }
            let square = term.output.reduce(0) { $0 + $1 * $1 }
            let next = scale * square
            if !(next > gain * (1 + Self.tolerance)) { return term }
            gain = next

            let target = product(left, term.output, transposed: true)
            try improveInput(&term, image: image, target: target, square: square)
            tapImage = try self.tapImage(of: term.input)
            try improveTaps(&term, target: target, square: square, tapImage: tapImage)
        }
        return term
    }

    /// The patch of the output with the largest rest, cut down to a product of three vectors.
    private func start(_ left: Matrix) throws -> Term? {
        var best = (row: 0, square: 0.0)
        for row in 0..<left.rows {
            let square = left.elements[row * left.columns..<(row + 1) * left.columns].reduce(0) { $0 + $1 * $1 }
            if square > best.square { best = (row, square) }
        }
        guard best.square > 0 else { return nil }
        let patch = try Matrix(
            rows: channels, columns: taps,
            elements: Array(left.elements[best.row * left.columns..<(best.row + 1) * left.columns]))
        let tap = try SymmetricEigendecomposition(patch.gram(transposed: true), leading: 1).vectors
        let window = try SingularValueDecomposition(
            Matrix(rows: kernel.height, columns: kernel.width, elements: tap.elements))
        var term = Term(output: [], input: [], row: [], column: [])
        term.row = (0..<kernel.height).map { window.left[$0, 0] }
        term.column = (0..<kernel.width).map { window.rightTransposed[0, $0] }
        term.input = try patch.multiplied(by: Matrix(rows: taps, columns: 1, elements: term.tap)).elements
        return normalized(term)
    }

    private func normalized(_ term: Term) -> Term? {
        var term = term
        func normalize(_ vector: inout [Double]) -> Bool {
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard norm > 0, norm.isFinite else { return false }
            for index in vector.indices { vector[index] /= norm }
            return true
        }
        guard normalize(&term.input), normalize(&term.row), normalize(&term.column) else { return nil }
        return term
    }

    /// The input vector for the others: exact without a moment, two steps of conjugate gradients with one. `image` is the
    /// product of `Sigma` with the patch as it stands.
    private func improveInput(_ term: inout Term, image: [Double], target: [Double], square: Double) throws {
        let tap = term.tap
        let weight = tap.reduce(0) { $0 + $1 * $1 } * square
        func contracted(_ patch: [Double]) -> [Double] {
            (0..<channels).map { s in (0..<taps).reduce(0) { $0 + patch[s * taps + $1] * tap[$1] } }
        }
        let right = contracted(target)
        if sigma == nil {
            term.input = right.map { $0 / weight }
        } else {
            // For the correction: the residual at the start costs no product then.
            let residual = zip(right, contracted(image)).map { $0 - square * $1 }
            let correction = try ConjugateGradients.solve(
                rightHandSide: residual, maximumIterations: 2,
                operator: { input in
                    let image = singleProduct(input.flatMap { input in tap.map { Float(input * $0) } }, count: 1)
                    return contracted(image.map { Double($0) }).map { $0 * square }
                }
            ).iterate
            term.input = zip(term.input, correction).map { $0 + $1 }
        }
        if let result = normalized(term) { term = result }
    }

    /// The window's two vectors, in turns, given the rest: two systems of order `h` and `w`.
    private func improveTaps(_ term: inout Term, target: [Double], square: Double, tapImage: Matrix) throws {
        let (height, width) = (kernel.height, kernel.width)
        var system = Matrix(rows: taps, columns: taps)
        var right = [Double](repeating: 0, count: taps)
        for s in 0..<channels {
            for a in 0..<taps {
                right[a] += target[s * taps + a] * term.input[s]
                for b in 0..<taps { system[a, b] += square * term.input[s] * tapImage[b, s * taps + a] }
            }
        }
        for _ in 0..<4 {
            for vertical in [true, false] {
                let other = vertical ? term.column : term.row
                let order = vertical ? height : width
                func tap(_ kept: Int, _ summed: Int) -> Int { vertical ? kept * width + summed : summed * width + kept }
                var reduced = Matrix(rows: order, columns: order)
                var image = Matrix(rows: order, columns: 1)
                for i in 0..<order {
                    for k in 0..<other.count {
                        image[i, 0] += right[tap(i, k)] * other[k]
                        for j in 0..<order {
                            for l in 0..<other.count {
                                reduced[i, j] += other[k] * other[l] * system[tap(i, k), tap(j, l)]
                            }
                        }
                    }
                }
                let ridge = 1e-12 * reduced.trace + .leastNormalMagnitude
                let found = try CholeskyDecomposition(reduced.addingToDiagonal(ridge)).solve(image).elements
                if vertical { term.row = found } else { term.column = found }
                if let result = normalized(term) { term = result } else { return }
            }
        }
    }

    // MARK: Products

    /// `Sigma b`, exact.
    private func image(of patch: [Double]) throws -> [Double] {
        guard let sigma else { return patch }
        return product(sigma, patch)
    }

    /// `Sigma (s x I)` `[h w, S h w]`, one row a tap.
    private func tapImage(of input: [Double]) throws -> Matrix {
        let order = channels * taps
        var single = [Float](repeating: 0, count: taps * order)
        for a in 0..<taps { for s in 0..<channels { single[a * order + s * taps + a] = Float(input[s]) } }
        let image = sigma == nil ? single : singleProduct(single, count: taps)
        return try Matrix(rows: taps, columns: order, elements: image.map { Double($0) })
    }

    private func combined(_ tapImage: Matrix, _ tap: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: tapImage.columns)
        for a in 0..<taps {
            for d in 0..<result.count { result[d] += tap[a] * tapImage.elements[a * result.count + d] }
        }
        return result
    }

    /// The products of `count` vectors with `Sigma` in single precision.
    private func singleProduct(_ vectors: [Float], count: Int) -> [Float] {
        let order = channels * taps
        var result = [Float](repeating: 0, count: count * order)
        withPointers(vectors, singleSigma, &result) { vectors, sigma, result in
            if count == 1 {
                BLAS.gemv(m: order, n: order, a: sigma, lda: order, x: vectors, y: result)
            } else {
                BLAS.gemm(
                    pool: pool, m: count, n: order, k: order, a: vectors, lda: order, b: sigma, ldb: order, c: result,
                    ldc: order)
            }
        }
        return result
    }

    private func product(_ matrix: Matrix, _ vector: [Double], transposed: Bool = false) -> [Double] {
        var result = [Double](repeating: 0, count: transposed ? matrix.columns : matrix.rows)
        withPointers(matrix.elements, vector, &result) { matrix_, vector, result in
            BLAS.gemv(
                transpose: transposed, m: matrix.rows, n: matrix.columns, a: matrix_, lda: matrix.columns, x: vector,
                y: result)
        }
        return result
    }
}
