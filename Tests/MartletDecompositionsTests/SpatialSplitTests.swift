import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

@Suite struct SpatialSplitTests {
    static let cases: [([Int], Int)] = [
        ([7, 5, 3, 3], 4), ([4, 6, 3, 5], 9), ([6, 4, 1, 3], 2), ([5, 7, 3, 1], 3), ([8, 3, 2, 2], 6),
    ]

    /// The matrix `[T w, S h]`.
    private func folded(_ kernel: ConvolutionKernel) -> Matrix {
        let (height, width) = (kernel.height, kernel.width)
        var result = Matrix(rows: kernel.outputs * width, columns: kernel.inputs * height)
        for t in 0..<kernel.outputs {
            for s in 0..<kernel.inputs {
                for i in 0..<height {
                    for j in 0..<width {
                        result[t * width + j, s * height + i] =
                            kernel.matrix[t, (s * height + i) * width + j]
                    }
                }
            }
        }
        return result
    }

    @Test(arguments: cases)
    func isTheTruncatedDecomposition(shape: [Int], rank: Int) throws {
        var random = SeededGenerator(seed: 100)
        let kernel = try random.kernel(shape)
        let energies = try SingularValueDecomposition(folded(kernel)).values.map { $0 * $0 }
        let wanted = energies.dropFirst(rank).reduce(0, +) / energies.reduce(0, +)
        let fit = try SpatialSplit.fit(kernel, rank: rank, norm: .frobenius, pool: pool)
        let kept = try fit.factors.reconstructed(pool: pool)
        #expect(abs(errorByLoops(kernel, kept, Matrix.identity(kernel.patchSize)) - wanted) < 1e-10)
        #expect(abs((fit.errors.last ?? 1) - wanted) < 1e-10)
        #expect(fit.factors.rows.shape == [rank, shape[1], shape[2], 1])
        #expect(fit.factors.columns.shape == [shape[0], rank, 1, shape[3]])
        // By the definition.
        let (p, q) = (fit.factors.rows, fit.factors.columns)
        for t in 0..<shape[0] {
            for s in 0..<shape[1] {
                for i in 0..<shape[2] {
                    for j in 0..<shape[3] {
                        let sum = (0..<rank).reduce(0) {
                            $0 + q.matrix[t, $1 * shape[3] + j] * p.matrix[$1, s * shape[2] + i]
                        }
                        #expect(abs(kept.matrix[t, (s * shape[2] + i) * shape[3] + j] - sum) < 1e-12)
                    }
                }
            }
        }
    }

    /// Where the moment is a product of one over `(s, i)` and one over `j`, the best split is an SVD in the coordinates of
    /// the two roots.
    @Test(arguments: cases)
    func isExactForAProduct(shape: [Int], rank: Int) throws {
        var random = SeededGenerator(seed: 101)
        let kernel = try random.kernel(shape)
        let (tall, width) = (shape[1] * shape[2], shape[3])
        let rows = try random.secondMoment(dimension: tall, samples: 4 * tall).matrix
        let columns = try random.secondMoment(dimension: width, samples: 40).matrix
        var product = Matrix(rows: tall * width, columns: tall * width)
        for a in 0..<tall * width {
            for b in 0..<tall * width {
                product[a, b] = rows[a / width, b / width] * columns[a % width, b % width]
            }
        }
        var options = DecompositionOptions()
        options.regularization = 1e-9
        options.tolerance = 0
        options.maximumSweeps = 2000
        let fit = try SpatialSplit.fit(
            kernel, rank: rank, norm: .sigma(SecondMoment(product)), options: options, pool: pool)
        // [T w, S h] with both sides multiplied by the roots.
        let right = try folded(kernel).multiplied(by: symmetricRoot(rows))
        let columnRoot = try symmetricRoot(columns)
        var both = Matrix(rows: right.rows, columns: tall)
        for t in 0..<shape[0] {
            for j in 0..<width {
                for k in 0..<width {
                    for c in 0..<tall { both[t * width + j, c] += columnRoot[j, k] * right[t * width + k, c] }
                }
            }
        }
        let energies = try SingularValueDecomposition(both).values.map { $0 * $0 }
        let wanted = energies.dropFirst(rank).reduce(0, +) / energies.reduce(0, +)
        #expect(abs((fit.errors.last ?? 1) - wanted) < 1e-6)
    }

    @Test(arguments: cases)
    func errorsNeverRise(shape: [Int], rank: Int) throws {
        var random = SeededGenerator(seed: 102)
        let kernel = try random.kernel(shape)
        let moment = try random.secondMoment(dimension: kernel.patchSize, samples: 3 * kernel.patchSize)
        var options = DecompositionOptions()
        options.regularization = 1e-3
        let fit = try SpatialSplit.fit(kernel, rank: rank, norm: .sigma(moment), options: options, pool: pool)
        for (before, after) in zip(fit.errors, fit.errors.dropFirst()) {
            #expect(after <= before * (1 + 1e-9) + 1e-13)
        }
        let sigma = regularized(moment, 1e-3)
        let measured = errorByLoops(kernel, try fit.factors.reconstructed(pool: pool), sigma)
        #expect(abs(measured - (fit.errors.last ?? 1)) < 1e-8)
        let plain = try SpatialSplit.fit(kernel, rank: rank, norm: .frobenius, pool: pool).factors
        #expect(measured <= errorByLoops(kernel, try plain.reconstructed(pool: pool), sigma) + 1e-9)
    }
}
