import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

@Suite struct ElementWeightsTests {
    private func weightedError(_ kernel: ConvolutionKernel, _ factors: Tucker2, _ weights: Matrix) -> Double {
        let kept = factors.reconstructed(pool: pool)
        var (error, energy) = (0.0, 0.0)
        for (index, weight) in weights.elements.enumerated() {
            let difference = kernel.elements[index] - kept.elements[index]
            error += weight * difference * difference
            energy += weight * kernel.elements[index] * kernel.elements[index]
        }
        return error / energy
    }

    private func positive(_ matrix: Matrix) throws -> Matrix {
        try Matrix(rows: matrix.rows, columns: matrix.columns, elements: matrix.elements.map { 0.02 + $0 * $0 })
    }

    @Test func minimisesTheWeightedError() throws {
        var random = SeededGenerator(seed: 220)
        let kernel = try random.kernel([9, 7, 3, 3])
        let weights = try positive(random.matrix(9, 63))
        var options = DecompositionOptions()
        options.tolerance = 1e-10
        options.maximumSweeps = 400
        let fit = try Tucker2.fit(
            kernel, outputRank: 4, inputRank: 5, elementWeights: weights, options: options, pool: pool)
        #expect(isOrthonormal(fit.factors.outputFactor) && isOrthonormal(fit.factors.inputFactor))
        for (before, after) in zip(fit.errors, fit.errors.dropFirst()) { #expect(after <= before + 1e-13) }
        let found = weightedError(kernel, fit.factors, weights)
        #expect(abs(found - (fit.errors.last ?? 1)) < 1e-10)
        let plain = try MartletDecompositionsTests.fit(kernel, 4, 5, .frobenius).factors
        #expect(found < 0.95 * weightedError(kernel, plain, weights))
        // No small change of a factor is better by more than what the last sweep would still have gained.
        for _ in 0..<20 {
            let core = ConvolutionKernel(
                matrix: fit.factors.core.matrix.moved(along: try random.matrix(4, 45), by: 1e-3), inputs: 5, height: 3,
                width: 3)
            let outputs = fit.factors.outputFactor.moved(along: try random.matrix(9, 4), by: 1e-3)
            let inputs = fit.factors.inputFactor.moved(along: try random.matrix(7, 5), by: 1e-3)
            for moved in [
                Tucker2(outputFactor: fit.factors.outputFactor, core: core, inputFactor: fit.factors.inputFactor),
                Tucker2(outputFactor: outputs, core: fit.factors.core, inputFactor: fit.factors.inputFactor),
                Tucker2(outputFactor: fit.factors.outputFactor, core: fit.factors.core, inputFactor: inputs),
            ] { #expect(weightedError(kernel, moved, weights) > found) }
        }
    }

    /// Weights that are alike within an output have a closed form: AG-LRA's.
    @Test func weightsByOutputAreAGLRA() throws {
        var random = SeededGenerator(seed: 221)
        let kernel = try random.kernel([8, 6, 3, 3])
        let byOutput = (0..<8).map { _ in 0.05 + abs(random.value()) }
        let weights = try Matrix(
            rows: 8, columns: 54, elements: byOutput.flatMap { [Double](repeating: $0, count: 54) })
        var options = DecompositionOptions()
        options.tolerance = 1e-9
        options.maximumSweeps = 300
        let expected = try Tucker2.fit(
            kernel, outputRank: 4, inputRank: 4, outputWeights: byOutput, options: options, pool: pool)
        let found = try Tucker2.fit(
            kernel, outputRank: 4, inputRank: 4, elementWeights: weights, options: options, pool: pool)
        #expect(abs((found.errors.last ?? 1) / (expected.errors.last ?? 0) - 1) < 1e-4)
    }

    @Test func weightsThatSayNothingAreTheFrobeniusNorm() throws {
        var random = SeededGenerator(seed: 222)
        let kernel = try random.kernel([8, 6, 3, 3])
        let expected = try MartletDecompositionsTests.fit(kernel, 4, 4, .frobenius)
        let measurements = LayerMeasurements(fisherInformation: Matrix(rows: 8, columns: 54))
        let found = try DecompositionMethod.fwLRA.fit(kernel, ranks: [4, 4], measurements: measurements, pool: pool)
        #expect(abs((found.errors.last ?? 1) / (expected.errors.last ?? 0) - 1) < 1e-3)
        #expect(throws: DecompositionError.self) {
            try DecompositionMethod.fwLRA.fit(kernel, ranks: [4, 4], pool: pool)
        }
        for weights in [
            Matrix(rows: 8, columns: 53), Matrix(rows: 8, columns: 54, repeating: -1),
            Matrix(rows: 8, columns: 54, repeating: .nan),
        ] {
            #expect(throws: DecompositionError.self) {
                try Tucker2.fit(kernel, outputRank: 4, inputRank: 4, elementWeights: weights, pool: pool)
            }
        }
    }
}
