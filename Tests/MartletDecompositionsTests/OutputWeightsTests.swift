import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

@Suite struct OutputWeightsTests {
    private func weightedError(_ kernel: ConvolutionKernel, _ factors: Tucker2, _ weights: [Double]) -> Double {
        let kept = factors.reconstructed(pool: pool)
        var (error, energy) = (0.0, 0.0)
        for index in 0..<kernel.parameterCount {
            let weight = weights[index / kernel.patchSize]
            let difference = kernel.elements[index] - kept.elements[index]
            error += weight * difference * difference
            energy += weight * kernel.elements[index] * kernel.elements[index]
        }
        return error / energy
    }

    @Test func minimisesTheWeightedError() throws {
        var random = SeededGenerator(seed: 110)
        let kernel = try random.kernel([9, 7, 3, 3])
        let weights = (0..<9).map { _ in 0.05 + abs(random.value()) }
        let fit = try Tucker2.fit(kernel, outputRank: 4, inputRank: 5, outputWeights: weights, pool: pool)
        #expect(isOrthonormal(fit.factors.outputFactor) && isOrthonormal(fit.factors.inputFactor))
        let found = weightedError(kernel, fit.factors, weights)
        #expect(abs(found - (fit.errors.last ?? 1)) < 1e-10)
        #expect(found < weightedError(kernel, try fitted(kernel), weights))
        // Any small change of the core or the output factor is worse: it is a minimum.
        for _ in 0..<20 {
            let nudge = try random.matrix(4, 5 * 9)
            let core = ConvolutionKernel(
                matrix: fit.factors.core.matrix.moved(along: nudge, by: 1e-3), inputs: 5, height: 3, width: 3)
            let moved = Tucker2(
                outputFactor: fit.factors.outputFactor, core: core, inputFactor: fit.factors.inputFactor)
            #expect(weightedError(kernel, moved, weights) > found)
            let outputs = fit.factors.outputFactor.moved(along: try random.matrix(9, 4), by: 1e-3)
            let turned = Tucker2(outputFactor: outputs, core: fit.factors.core, inputFactor: fit.factors.inputFactor)
            #expect(weightedError(kernel, turned, weights) > found)
        }
    }

    private func fitted(_ kernel: ConvolutionKernel) throws -> Tucker2 { try fit(kernel, 4, 5, .frobenius).factors }

    @Test func equalWeightsAreTheFrobeniusNorm() throws {
        var random = SeededGenerator(seed: 111)
        let kernel = try random.kernel([9, 7, 3, 3])
        for weight in [0.0, 0.3] {
            let weights = [Double](repeating: weight, count: 9)
            let fit = try Tucker2.fit(kernel, outputRank: 4, inputRank: 5, outputWeights: weights, pool: pool)
            let difference = try largestDifference(
                fit.factors.reconstructed(pool: pool).elements, fitted(kernel).reconstructed(pool: pool).elements)
            #expect(difference < 1e-9)
        }
        for weights in [[1.0, 2], [Double](repeating: .nan, count: 9), [Double](repeating: -1, count: 9)] {
            #expect(throws: DecompositionError.self) {
                try Tucker2.fit(kernel, outputRank: 4, inputRank: 5, outputWeights: weights, pool: pool)
            }
        }
    }

    /// The mean of `|m + sqrt(v) z|` over a normal `z`, by the midpoint rule.
    @Test func magnitudesAreThoseOfANormalVariable() throws {
        var random = SeededGenerator(seed: 112)
        let kernel = try random.kernel([3, 2, 1, 2])
        let mean = (0..<4).map { _ in random.value() }
        var second = try random.secondMoment(dimension: 4, samples: 30).matrix
        for i in 0..<4 { for j in 0..<4 { second[i, j] += mean[i] * mean[j] } }
        let moment = try SecondMoment(second)
        let bias = [0.3, -2, 0]
        let found = try OutputMagnitudes.estimated(kernel, bias: bias, mean: mean, secondMoment: moment, pool: pool)
        for output in 0..<3 {
            var (square, shift) = (0.0, 0.0)
            for i in 0..<4 {
                shift += kernel.matrix[output, i] * mean[i]
                for j in 0..<4 { square += kernel.matrix[output, i] * second[i, j] * kernel.matrix[output, j] }
            }
            let deviation = (square - shift * shift).squareRoot()
            var (sum, weight) = (0.0, 0.0)
            for step in 0..<200_000 {
                let z = -10 + 20 * (Double(step) + 0.5) / 200_000
                // e^(-z^2 / 2) without a C library: repeated squaring of a short series.
                let density = exponential(-z * z / 2)
                sum += density * abs(shift + bias[output] + deviation * z)
                weight += density
            }
            #expect(abs(found[output] - sum / weight) < 1e-6)
        }
        #expect(throws: DecompositionError.self) {
            try OutputMagnitudes.estimated(kernel, bias: [1], mean: mean, secondMoment: moment, pool: pool)
        }
    }

    private func exponential(_ x: Double) -> Double {
        let small = x / 1024
        var result = 1 + small * (1 + small / 2 * (1 + small / 3 * (1 + small / 4)))
        for _ in 0..<10 { result *= result }
        return result
    }
}
