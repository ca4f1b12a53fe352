import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

@Suite struct LowRankTests {
    @Test(arguments: [[7, 5, 1, 1], [4, 12, 1, 1], [6, 3, 3, 3], [12, 2, 1, 3]])
    func isTheTruncatedDecomposition(shape: [Int]) throws {
        var random = SeededGenerator(seed: 70)
        let kernel = try random.kernel(shape)
        let moment = try random.secondMoment(dimension: kernel.patchSize, samples: 3 * kernel.patchSize)
        let maximum = min(kernel.outputs, kernel.patchSize)
        for (norm, sigma) in [(Norm.frobenius, Matrix.identity(kernel.patchSize)), (.sigma(moment), moment.matrix)] {
            let values = try SingularValueDecomposition(kernel.matrix.multiplied(by: symmetricRoot(sigma))).values
            let energies = values.map { $0 * $0 }
            for rank in [1, (maximum + 1) / 2, maximum] {
                let found = try LowRank(kernel, rank: rank, norm: norm, pool: pool)
                #expect(isOrthonormal(found.left))
                #expect(found.right.shape == [rank, shape[1], shape[2], shape[3]])
                #expect(found.parameterCount == rank * (kernel.outputs + kernel.patchSize))
                let wanted = energies.dropFirst(rank).reduce(0, +) / energies.reduce(0, +)
                #expect(abs(errorByLoops(kernel, try found.reconstructed(pool: pool), sigma) - wanted) < 1e-10)
            }
        }
    }

    @Test func edges() throws {
        var random = SeededGenerator(seed: 71)
        let kernel = try random.kernel([5, 6, 1, 1])
        #expect(throws: DecompositionError.rankOutOfRange(mode: "rank", rank: 6, maximum: 5)) {
            try LowRank(kernel, rank: 6, norm: .frobenius, pool: pool)
        }
        let other = Norm.sigma(try random.secondMoment(dimension: 5, samples: 20))
        #expect(throws: DecompositionError.dimensionMismatch(patch: 6, secondMoment: 5)) {
            try LowRank(kernel, rank: 2, norm: other, pool: pool)
        }
        // One patch: everything about it is kept by one component.
        let single = try random.secondMoment(dimension: 6, samples: 1)
        let found = try LowRank(kernel, rank: 1, norm: .sigma(single), pool: pool).reconstructed(pool: pool)
        #expect(try kernel.squaredRelativeError(of: found, in: .sigma(single), pool: pool) < 1e-14)
        // One that is zero says nothing.
        let zero = Norm.sigma(try SecondMoment(Matrix(rows: 6, columns: 6)))
        let byZero = try LowRank(kernel, rank: 2, norm: zero, pool: pool)
        #expect(byZero.left == (try LowRank(kernel, rank: 2, norm: .frobenius, pool: pool)).left)
    }
}
