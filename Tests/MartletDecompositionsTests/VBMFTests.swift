import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

@Suite struct VBMFTests {
    /// From `tools/decomposition-oracle.py`: rows, columns, rank of the signal, noise, seed, and SciPy's rank and variance.
    static let reference: [(Int, Int, Int, Double, UInt64, Int, Double)] = [
        (40, 120, 5, 0.1, 1, 5, 0.00339269586614),
        (120, 40, 5, 0.1, 2, 5, 0.00344949630826),
        (64, 64, 10, 0.5, 3, 10, 0.0842754824425),
        (30, 400, 3, 1.0, 4, 3, 0.334498957099),
        (50, 60, 0, 1.0, 5, 0, 0.335773023942),
        (20, 2000, 12, 0.3, 6, 12, 0.0308547911653),
        (100, 130, 25, 0.2, 7, 25, 0.0144986758391),
    ]

    @Test(arguments: reference)
    func matchesSciPy(
        rows: Int, columns: Int, rank: Int, noise: Double, seed: UInt64, expectedRank: Int, expectedVariance: Double
    ) throws {
        var random = SeededGenerator(seed: seed)
        let left = try random.matrix(rows, rank)
        var matrix = try left.multiplied(by: random.matrix(rank, columns))
        let disturbance = try random.matrix(rows, columns)
        for i in 0..<rows { for j in 0..<columns { matrix[i, j] += noise * disturbance[i, j] } }
        let found = try VBMF(matrix, pool: pool)
        #expect(found.rank == expectedRank)
        #expect(abs(found.noiseVariance - expectedVariance) < 1e-6 * expectedVariance)
        #expect(found.threshold > 0)
        let known = try VBMF(matrix, noiseVariance: noise * noise / 3, pool: pool)
        #expect(known.rank == rank)
    }

    @Test func degenerateMatrices() throws {
        #expect(try VBMF(Matrix(rows: 5, columns: 9), pool: pool).rank == 0)
        #expect(try VBMF(Matrix(rows: 1, columns: 1, repeating: 3), pool: pool).rank == 0)
        #expect(try VBMF(Matrix(rows: 0, columns: 3), pool: pool).rank == 0)
        // Of rank one without noise.
        #expect(try VBMF(Matrix(rows: 6, columns: 8, repeating: 2), pool: pool).rank == 1)
        #expect(throws: DecompositionError.nonFinite(subject: "the unfolding")) {
            try VBMF(Matrix(rows: 2, columns: 2, repeating: .nan), pool: pool)
        }
    }

    @Test func minimization() {
        let parabola = minimum(of: { ($0 - 2) * ($0 - 2) }, from: -3, to: 10, tolerance: 1e-10)
        #expect(abs(parabola - 2) < 1e-7)
        let corner = minimum(of: { abs($0 - 0.3) }, from: 0, to: 1, tolerance: 1e-10)
        #expect(abs(corner - 0.3) < 1e-7)
        // At a bound.
        let rising = minimum(of: { $0 }, from: 1, to: 2, tolerance: 1e-9)
        #expect(rising - 1 < 1e-6)
        let quartic = minimum(of: { ($0 + 1) * ($0 + 1) * ($0 + 1) * ($0 + 1) }, from: -5, to: 8, tolerance: 1e-12)
        #expect(abs(quartic + 1) < 1e-3)
    }

    @Test func ranksFromTheRatio() throws {
        #expect(try RankSelection.rank(maximum: 64, vbmf: 25, ratio: 0) == 64)
        #expect(try RankSelection.rank(maximum: 64, vbmf: 25, ratio: 1) == 25)
        #expect(try RankSelection.rank(maximum: 64, vbmf: 25, ratio: 0.5) == 44)
        #expect(try RankSelection.rank(maximum: 100, vbmf: 0, ratio: 0.1) == 90)
        #expect(try RankSelection.rank(maximum: 100, vbmf: 0, ratio: 0.7) == 30)
        #expect(try RankSelection.rank(maximum: 3, vbmf: 0, ratio: 1) == 1)
        for ratio in [-0.1, 1.1, .nan] {
            #expect(throws: DecompositionError.self) {
                try RankSelection.rank(maximum: 64, vbmf: 25, ratio: ratio)
            }
        }
    }

    @Test func ranksOfAKernel() throws {
        // Outputs and inputs of ranks 3 and 2 under a little noise.
        var random = SeededGenerator(seed: 21)
        let exact = Tucker2(
            outputFactor: try random.matrix(24, 3), core: try random.kernel([3, 2, 3, 3]),
            inputFactor: try random.matrix(16, 2)
        ).reconstructed(pool: pool)
        var elements = exact.elements
        for index in elements.indices { elements[index] += 0.01 * random.value() }
        let kernel = try ConvolutionKernel(outputs: 24, inputs: 16, height: 3, width: 3, elements: elements)
        #expect(try RankSelection.vbmfRanks(of: kernel, form: .tucker2, pool: pool) == [3, 2])
        #expect(try RankSelection.ranks(of: kernel, form: .tucker2, ratio: 0.5, pool: pool) == [13, 9])
        let zero = try ConvolutionKernel(
            outputs: 4, inputs: 5, height: 3, width: 3, elements: [Double](repeating: 0, count: 180))
        #expect(try RankSelection.ranks(of: zero, form: .tucker2, ratio: 1, pool: pool) == [1, 1])
    }
}
