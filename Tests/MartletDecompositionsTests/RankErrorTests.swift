import MartletLinearAlgebra
import MartletParallelism
import Testing

@testable import MartletDecompositions

@Suite struct RankErrorTests {
    let pool = ThreadPool(threadCount: 2)

    @Test(arguments: [DecompositionMethod.tucker2ALSSigma, .spatialSVDSigma, .channelSVDSigma, .cpALSSigma])
    func boundWhatFitsEndWith(method: DecompositionMethod) throws {
        var generator = SeededGenerator(seed: 3)
        let kernel = try generator.kernel([10, 8, 3, 3])
        let moment = try generator.secondMoment(dimension: 72, samples: 400)
        let errors = try method.rankErrors(
            of: kernel, measurements: LayerMeasurements(secondMoment: moment), step: 2, pool: pool)
        #expect(!errors.isEmpty)
        for point in errors where point.ranks.allSatisfy({ $0 % 4 == 0 }) {
            #expect(method.form.parameterCount(of: kernel.shape, ranks: point.ranks) < kernel.parameterCount)
            let fit = try method.fit(
                kernel, ranks: point.ranks, measurements: LayerMeasurements(secondMoment: moment), pool: pool)
            let error = try #require(fit.errors.last)
            #expect(error <= point.error * 1.02 + 1e-9, "\(point.ranks)")
            // An estimate that says nothing would bound everything.
            #expect(error >= point.error * 0.5, "\(point.ranks)")
        }
    }

    /// The error of the fit, measured with the ridge that is expected of other images.
    @Test(arguments: [(2000, 1.0), (60, 1.0), (10, 0.95)])
    func ofMatricesAreExact(samples: Int, most: Double) throws {
        var generator = SeededGenerator(seed: 4)
        let kernel = try generator.kernel([9, 14, 1, 1])
        let moment = try generator.secondMoment(dimension: 14, samples: samples)
        let ridge = DecompositionMethod.expectedRidge(moment.suggestedRegularization)
        #expect(ridge <= moment.suggestedRegularization && ridge < 0.5)
        for point in try DecompositionMethod.svdSigma.rankErrors(
            of: kernel, measurements: LayerMeasurements(secondMoment: moment), step: 1, pool: pool)
        {
            let fit = try DecompositionMethod.svdSigma.fit(
                kernel, ranks: point.ranks, measurements: LayerMeasurements(secondMoment: moment), pool: pool)
            let found = errorByLoops(
                kernel, try fit.factors.reconstructed(pool: pool), regularized(moment, ridge))
            #expect(abs(found - point.error) < 1e-9)
            #expect(point.error <= (fit.errors.last ?? 0) * most + 1e-9)
        }
    }

    @Test func fallWithTheRank() throws {
        var generator = SeededGenerator(seed: 5)
        let kernel = try generator.kernel([12, 12, 3, 3])
        let moment = try generator.secondMoment(dimension: 108, samples: 300)
        let errors = try DecompositionMethod.spatialSVDSigma.rankErrors(
            of: kernel, measurements: LayerMeasurements(secondMoment: moment), step: 1, pool: pool)
        #expect(errors.map { $0.ranks[0] } == Array(1...errors.count))
        for (a, b) in zip(errors, errors.dropFirst()) { #expect(b.error <= a.error + 1e-12) }
    }

    @Test func gridsCoverTheirRange() {
        #expect(RankGrid.ranks(below: 4, step: 1) == [1, 2, 3])
        #expect(RankGrid.ranks(below: 512, step: 16).last == 496)
        #expect(RankGrid.ranks(below: 10, step: 16) == [9])
        #expect(RankGrid.ranks(below: 1, step: 1).isEmpty)
        let between = RankGrid.interpolated([(2, 1.0), (6, 0.01)], step: 2)
        #expect(between.map(\.rank) == [2, 4, 6])
        #expect(abs(between[1].error - 0.1) < 1e-12)
    }

    @Test func centringTakesTheMeanOff() throws {
        let moment = try SecondMoment(Matrix(rows: 2, columns: 2, elements: [5, 3, 3, 2]), patchCount: 7)
        let centred = try moment.centred(by: [2, 1])
        #expect(centred.matrix.elements == [1, 1, 1, 1])
        #expect(centred.patchCount == 7)
        #expect(throws: DecompositionError.self) { try moment.centred(by: [1]) }
        // More mean than moment is rounding.
        #expect(try moment.centred(by: [2.5, 1]).matrix.elements[0] == 0)
    }
}
