import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

/// `tr(Lambda E Sigma E^T)` over the same for `W`, by loops; the moments as a fit regularises them.
private func completeError(
    _ kernel: ConvolutionKernel, _ approximation: ConvolutionKernel, _ sigma: Matrix, _ lambda: Matrix
) -> Double {
    func energy(_ value: (Int, Int) -> Double) -> Double {
        var sum = 0.0
        for t in 0..<kernel.outputs {
            for u in 0..<kernel.outputs {
                for i in 0..<kernel.patchSize {
                    for j in 0..<kernel.patchSize { sum += lambda[t, u] * value(u, i) * sigma[i, j] * value(t, j) }
                }
            }
        }
        return sum
    }
    return energy { kernel.matrix[$0, $1] - approximation.matrix[$0, $1] } / energy { kernel.matrix[$0, $1] }
}

@Suite struct CompleteNormTests {
    @Test(arguments: [
        (DecompositionMethod.tucker2ALSSigma, [3, 3]), (.cpALSSigma, [5]), (.spatialSVDSigma, [3]),
        (.channelSVDSigma, [3]), (.greedySigma, [4]),
    ])
    func isWhatIsMinimised(method: DecompositionMethod, ranks: [Int]) throws {
        var random = SeededGenerator(seed: 210)
        let kernel = try random.kernel([6, 4, 3, 2])
        let moment = try random.secondMoment(dimension: 24, samples: 60)
        let lambda = try random.secondMoment(dimension: 6, samples: 20).matrix
        let outputMoment = try OutputMoment(lambda, runCount: 20)
        let sigma = regularized(moment, moment.suggestedRegularization)
        let weight = outputMoment.regularized(by: outputMoment.suggestedRegularization)
        let complete = try method.fit(
            kernel, ranks: ranks, measurements: LayerMeasurements(secondMoment: moment, outputMoment: outputMoment),
            pool: pool)
        let plain = try method.fit(
            kernel, ranks: ranks, measurements: LayerMeasurements(secondMoment: moment), pool: pool)
        #expect(complete.factors.ranks == plain.factors.ranks)
        let found = completeError(kernel, try complete.factors.reconstructed(pool: pool), sigma, weight)
        #expect(abs(found - (complete.errors.last ?? 1)) < 1e-8)
        #expect(found < completeError(kernel, try plain.factors.reconstructed(pool: pool), sigma, weight))
        for (before, after) in zip(complete.errors, complete.errors.dropFirst()) { #expect(after <= before + 1e-12) }
    }

    /// The truncated SVD of `L^T W Sigma^(1/2)` leaves the energy of the singular values that it drops: no matrix of the rank is
    /// nearer.
    @Test func closedFormDropsTheSmallestSingularValues() throws {
        var random = SeededGenerator(seed: 211)
        let kernel = try random.kernel([7, 5, 1, 1])
        let moment = try random.secondMoment(dimension: 5, samples: 40)
        let outputMoment = try OutputMoment(random.secondMoment(dimension: 7, samples: 30).matrix)
        let fit = try DecompositionMethod.svdSigma.fit(
            kernel, ranks: [2], measurements: LayerMeasurements(secondMoment: moment, outputMoment: outputMoment),
            pool: pool)
        let left = try symmetricRoot(outputMoment.regularized(by: outputMoment.suggestedRegularization))
        let right = try symmetricRoot(regularized(moment, moment.suggestedRegularization))
        let whitened = try left.multiplied(by: kernel.matrix).multiplied(by: right)
        let values = try SymmetricEigendecomposition.values(of: whitened.gram()).sorted(by: >)
        let expected = values.dropFirst(2).reduce(0, +) / values.reduce(0, +)
        #expect(abs((fit.errors.last ?? 1) - expected) < 1e-9)
    }

    /// Gradients that are alike in all outputs, and none at all, leave the Sigma norm.
    @Test func withoutPreferenceItIsTheSigmaNorm() throws {
        var random = SeededGenerator(seed: 212)
        let kernel = try random.kernel([6, 4, 3, 3])
        let moment = try random.secondMoment(dimension: 36, samples: 90)
        let plain = try fit(kernel, 3, 3, .sigma(moment)).factors.reconstructed(pool: pool)
        for lambda in [Matrix.identity(6), Matrix(rows: 6, columns: 6)] {
            let measurements = LayerMeasurements(secondMoment: moment, outputMoment: try OutputMoment(lambda))
            let fit = try DecompositionMethod.tucker2ALSSigma.fit(
                kernel, ranks: [3, 3], measurements: measurements, pool: pool)
            let found = try fit.factors.reconstructed(pool: pool)
            #expect(largestDifference(found.elements, plain.elements) < 1e-9)
        }
    }

    @Test func refusesWhatIsNoMoment() throws {
        var random = SeededGenerator(seed: 213)
        let kernel = try random.kernel([6, 4, 3, 3])
        let moment = try random.secondMoment(dimension: 36, samples: 90)
        #expect(throws: DecompositionError.self) { try OutputMoment(random.matrix(5, 6)) }
        let other = LayerMeasurements(secondMoment: moment, outputMoment: try OutputMoment(.identity(5)))
        #expect(throws: DecompositionError.outputMismatch(outputs: 6, moment: 5)) {
            try DecompositionMethod.tucker2ALSSigma.fit(kernel, ranks: [3, 3], measurements: other, pool: pool)
        }
    }

    /// Ranks have the errors that fits start from, in the complete norm too.
    @Test func rankErrorsBoundTheFits() throws {
        var random = SeededGenerator(seed: 214)
        let kernel = try random.kernel([8, 6, 3, 3])
        let moment = try random.secondMoment(dimension: 54, samples: 150)
        let outputMoment = try OutputMoment(random.secondMoment(dimension: 8, samples: 30).matrix)
        let measurements = LayerMeasurements(secondMoment: moment, outputMoment: outputMoment)
        for method in [DecompositionMethod.tucker2ALSSigma, .spatialSVDSigma, .channelSVDSigma] {
            let errors = try method.rankErrors(of: kernel, measurements: measurements, step: 2, pool: pool)
            #expect(!errors.isEmpty)
            for known in errors where method != .tucker2ALSSigma || known.ranks[1] == 2 {
                let fit = try method.fit(kernel, ranks: known.ranks, measurements: measurements, pool: pool)
                #expect((fit.errors.last ?? 1) <= known.error + 1e-9)
            }
        }
    }
}
