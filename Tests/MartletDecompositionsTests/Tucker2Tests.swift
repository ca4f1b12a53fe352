import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

@Suite struct ConvolutionKernelTests {
    @Test func refusesWhatIsNoKernel() {
        func kernel(_ shape: [Int], _ elements: [Double]) throws -> ConvolutionKernel {
            try ConvolutionKernel(
                outputs: shape[0], inputs: shape[1], height: shape[2], width: shape[3], elements: elements)
        }
        #expect(throws: DecompositionError.emptyKernel(shape: [0, 1, 1, 1])) { try kernel([0, 1, 1, 1], []) }
        #expect(throws: DecompositionError.emptyKernel(shape: [1, -1, 1, 1])) { try kernel([1, -1, 1, 1], []) }
        #expect(throws: DecompositionError.elementCountMismatch(shape: [1, 2, 1, 1], count: 1)) {
            try kernel([1, 2, 1, 1], [1])
        }
        #expect(throws: DecompositionError.nonFinite(subject: "the kernel")) { try kernel([1, 2, 1, 1], [1, .nan]) }
        #expect(throws: (any Error).self) { try kernel([Int.max, 2, 3, 4], [1]) }
    }

    @Test func tapOrderGoesThereAndBack() throws {
        var random = SeededGenerator(seed: 30)
        let matrix = try random.matrix(19, 5 * 6)
        let tapMajor = TapOrder.tapMajor(matrix, taps: 6, pool: pool)
        #expect(tapMajor[3, 4 * 5 + 2] == matrix[3, 2 * 6 + 4])
        #expect(TapOrder.interleaved(tapMajor, taps: 6, pool: pool) == matrix)
    }
}

@Suite struct Tucker2Tests {
    @Test func reconstructsByTheFormula() throws {
        var random = SeededGenerator(seed: 31)
        let tucker = Tucker2(
            outputFactor: try random.matrix(5, 3), core: try random.kernel([3, 2, 2, 3]),
            inputFactor: try random.matrix(4, 2))
        let kernel = tucker.reconstructed(pool: pool)
        #expect(kernel.shape == [5, 4, 2, 3])
        for t in 0..<5 {
            for s in 0..<4 {
                for tap in 0..<6 {
                    var wanted = 0.0
                    for p in 0..<3 {
                        for q in 0..<2 {
                            let core = tucker.core.elements[(p * 2 + q) * 6 + tap]
                            wanted += tucker.outputFactor[t, p] * core * tucker.inputFactor[s, q]
                        }
                    }
                    #expect(abs(kernel.elements[(t * 4 + s) * 6 + tap] - wanted) < 1e-14)
                }
            }
        }
        #expect(tucker.parameterCount == 15 + 36 + 8)
        #expect(tucker.inputKernel.shape == [2, 4, 1, 1])
        #expect(tucker.inputKernel.elements[1 * 4 + 3] == tucker.inputFactor[3, 1])
        #expect(tucker.outputKernel.shape == [5, 3, 1, 1])
    }

    /// From `tools/decomposition-oracle.py`: TensorLy's squared relative error with its own tolerance and at convergence.
    static let tensorly: [([Int], Int, Int, UInt64, Double, Double)] = [
        ([12, 8, 3, 3], 5, 4, 11, 0.606222581873, 0.60607314564),
        ([8, 12, 3, 3], 4, 5, 12, 0.564953635668, 0.564946659567),
        ([16, 10, 1, 5], 6, 3, 13, 0.659479219774, 0.65928041989),
        ([6, 9, 5, 5], 3, 7, 14, 0.499483297777, 0.499456775289),
        ([20, 20, 3, 1], 10, 10, 15, 0.36416977402, 0.364015655366),
    ]

    @Test(arguments: tensorly)
    func matchesTensorLy(
        shape: [Int], outputRank: Int, inputRank: Int, seed: UInt64, byDefault: Double, converged: Double
    ) throws {
        var random = SeededGenerator(seed: seed)
        let kernel = try random.kernel(shape)
        let found = try fit(kernel, outputRank, inputRank, .frobenius)
        #expect(found.converged)
        #expect((found.errors.last ?? 1) <= byDefault + 1e-9)
        for (before, after) in zip(found.errors, found.errors.dropFirst()) { #expect(after <= before + 1e-14) }
        let factors = found.factors
        #expect(isOrthonormal(factors.outputFactor) && isOrthonormal(factors.inputFactor))
        let measured = try kernel.squaredRelativeError(
            of: factors.reconstructed(pool: pool), in: .frobenius, pool: pool)
        #expect(abs(measured - (found.errors.last ?? 1)) < 1e-12)

        var options = DecompositionOptions()
        options.tolerance = 0
        options.maximumSweeps = 2000
        let tight = try fit(kernel, outputRank, inputRank, .frobenius, options)
        #expect(abs((tight.errors.last ?? 1) - converged) < 1e-8)
    }

    @Test func fullRanksKeepTheKernel() throws {
        var random = SeededGenerator(seed: 32)
        for shape in [[4, 6, 3, 3], [7, 2, 1, 3], [1, 5, 2, 2], [5, 1, 3, 3], [1, 1, 1, 1]] {
            let kernel = try random.kernel(shape)
            let sigma = Norm.sigma(try random.secondMoment(dimension: kernel.patchSize, samples: 3 * kernel.patchSize))
            for norm in [Norm.frobenius, sigma] {
                let found = try fit(kernel, shape[0], shape[1], norm)
                let back = found.factors.reconstructed(pool: pool)
                #expect(largestDifference(back.elements, kernel.elements) < 1e-9)
                let small = try fit(kernel, 1, 1, norm)
                #expect(small.factors.core.parameterCount == kernel.taps)
            }
        }
    }

    @Test func findsAKernelThatHasTheForm() throws {
        var random = SeededGenerator(seed: 33)
        let kernel = Tucker2(
            outputFactor: try random.matrix(10, 3), core: try random.kernel([3, 4, 3, 3]),
            inputFactor: try random.matrix(9, 4)
        ).reconstructed(pool: pool)
        let sigma = Norm.sigma(try random.secondMoment(dimension: 81, samples: 300))
        for norm in [Norm.frobenius, sigma] {
            let found = try fit(kernel, 3, 4, norm)
            let back = found.factors.reconstructed(pool: pool)
            #expect(try kernel.squaredRelativeError(of: back, in: .frobenius, pool: pool) < 1e-9)
        }
    }

    @Test func aZeroKernelStaysZero() throws {
        let zero = try ConvolutionKernel(
            outputs: 4, inputs: 3, height: 2, width: 2, elements: [Double](repeating: 0, count: 48))
        var random = SeededGenerator(seed: 34)
        let sigma = Norm.sigma(try random.secondMoment(dimension: 12, samples: 40))
        for norm in [Norm.frobenius, sigma] {
            let found = try fit(zero, 2, 2, norm)
            #expect(found.factors.reconstructed(pool: pool) == zero)
            #expect(found.errors.allSatisfy { $0 == 0 })
            #expect(isOrthonormal(found.factors.outputFactor) && isOrthonormal(found.factors.inputFactor))
        }
        #expect(try zero.squaredRelativeError(of: zero, in: sigma, pool: pool) == 0)
        let other = try random.kernel([4, 3, 2, 2])
        #expect(try zero.squaredRelativeError(of: other, in: sigma, pool: pool) == .infinity)
    }

    @Test func refusesRanksAndOptionsOutOfRange() throws {
        var random = SeededGenerator(seed: 35)
        let kernel = try random.kernel([4, 3, 2, 2])
        #expect(throws: DecompositionError.rankOutOfRange(mode: "output", rank: 5, maximum: 4)) {
            try fit(kernel, 5, 2, .frobenius)
        }
        #expect(throws: DecompositionError.rankOutOfRange(mode: "input", rank: 0, maximum: 3)) {
            try fit(kernel, 2, 0, .frobenius)
        }
        let small = Norm.sigma(try random.secondMoment(dimension: 3, samples: 9))
        #expect(throws: DecompositionError.dimensionMismatch(patch: 12, secondMoment: 3)) {
            try fit(kernel, 2, 2, small)
        }
        #expect(throws: DecompositionError.dimensionMismatch(patch: 12, secondMoment: 3)) {
            try kernel.energy(in: small, pool: pool)
        }
        for change: (inout DecompositionOptions) -> Void in [
            { $0.maximumSweeps = -1 }, { $0.conjugateGradientSteps = 0 }, { $0.tolerance = .nan },
            { $0.regularization = 0 }, { $0.regularization = .infinity },
        ] {
            var options = DecompositionOptions()
            change(&options)
            #expect(throws: DecompositionError.self) { try fit(kernel, 2, 2, .frobenius, options) }
        }
        struct Stop: Error {}
        let sigma = Norm.sigma(try random.secondMoment(dimension: 12, samples: 40))
        for norm in [Norm.frobenius, sigma] {
            #expect(throws: Stop.self) {
                try Tucker2.fit(kernel, outputRank: 2, inputRank: 2, norm: norm, pool: pool) { throw Stop() }
            }
        }
    }
}
