import MartletLinearAlgebra
import Testing

@testable import MartletDecompositions

@Suite struct DecompositionMethodTests {
    /// The kernel that a chain amounts to, from how a convolution after another looks for the first one's patches.
    private func composed(_ links: [FactorLayer], shape: [Int]) -> [Double] {
        let (height, width) = (shape[2], shape[3])
        // A layer of every pair of channels of the chain so far: `[outputs][inputs]` windows of the full size.
        var current = (0..<shape[1]).map { s in
            (0..<shape[1]).map { other -> [[Double]] in
                var window = [[Double]](repeating: [Double](repeating: 0, count: width), count: height)
                window[0][0] = s == other ? 1 : 0
                return window
            }
        }
        for link in links {
            let kernel = link.kernel
            var next: [[[[Double]]]] = []
            for output in 0..<kernel.outputs {
                var row = (0..<shape[1]).map { _ in
                    [[Double]](repeating: [Double](repeating: 0, count: width), count: height)
                }
                for input in 0..<kernel.inputs {
                    let source = link.isDepthwise ? output : input
                    for i in 0..<kernel.height {
                        for j in 0..<kernel.width {
                            let weight = kernel.matrix[output, (input * kernel.height + i) * kernel.width + j]
                            for s in 0..<shape[1] {
                                for y in 0..<height - i {
                                    for x in 0..<width - j {
                                        row[s][y + i][x + j] += weight * current[source][s][y][x]
                                    }
                                }
                            }
                        }
                    }
                }
                next.append(row)
            }
            current = next
        }
        return current.flatMap { $0.flatMap { $0.flatMap { $0 } } }
    }

    @Test(arguments: DecompositionMethod.allCases)
    func theLayersAmountToTheKernel(method: DecompositionMethod) throws {
        var random = SeededGenerator(seed: 120)
        let shapes =
            method.form == .lowRank
            ? [[7, 5, 1, 1], [4, 9, 1, 1]] : [[7, 5, 3, 3], [4, 6, 1, 3], [6, 4, 5, 1], [5, 3, 2, 3]]
        for shape in shapes {
            let kernel = try random.kernel(shape)
            let moment = try random.secondMoment(dimension: kernel.patchSize, samples: 3 * kernel.patchSize)
            let measurements = LayerMeasurements(
                secondMoment: moment, outputMagnitudes: (0..<shape[0]).map { 1 + Double($0) },
                fisherInformation: kernel.matrix.timesElements(of: kernel.matrix))
            let ranks = method.form == .tucker2 ? [3, 2] : [3]
            let fit = try method.fit(kernel, ranks: ranks, measurements: measurements, pool: pool)
            let layers = fit.factors.layers
            let whole = try fit.factors.reconstructed(pool: pool)
            #expect(largestDifference(composed(layers, shape: shape), whole.elements) < 1e-10, "\(shape)")
            #expect(fit.factors.ranks == ranks)
            #expect(fit.factors.parameterCount == method.form.parameterCount(of: shape, ranks: ranks))
            #expect(layers.map(\.name).allSatisfy { method.form.layerNames.contains($0) })
            // Together the windows cover both axes once.
            let windows = layers.map(\.window).filter { $0 != .point }
            #expect(windows == [.full] || windows == [.rows, .columns])
            let norm: Norm = method.measure == .sigma ? .sigma(moment) : .frobenius
            #expect(try kernel.squaredRelativeError(of: whole, in: norm, pool: pool) < 1)
        }
    }

    @Test func asksForWhatItNeeds() throws {
        var random = SeededGenerator(seed: 121)
        for method in DecompositionMethod.allCases {
            let kernel = try random.kernel(method.form == .lowRank ? [5, 4, 1, 1] : [5, 4, 3, 3])
            let ranks = method.form == .tucker2 ? [2, 2] : [2]
            if method.measure != .frobenius {
                #expect(throws: DecompositionError.self) { try method.fit(kernel, ranks: ranks, pool: pool) }
            } else {
                #expect(try method.fit(kernel, ranks: ranks, pool: pool).factors.ranks == ranks)
            }
            #expect(throws: DecompositionError.rankCount(expected: ranks.count, found: 3)) {
                try method.fit(kernel, ranks: [1, 1, 1], pool: pool)
            }
            #expect(DecompositionMethod(rawValue: method.rawValue) == method)
        }
        #expect(Set(DecompositionMethod.allCases.map(\.summary)).count == DecompositionMethod.allCases.count)
    }

    @Test func ranksThatSave() {
        let forms: [DecompositionForm] = [.canonicalPolyadic, .lowRank, .spatial]
        for shape in [
            [64, 64, 3, 3], [512, 256, 3, 3], [128, 64, 1, 1], [10, 7, 5, 1], [2, 2, 2, 2], [1, 1, 3, 3],
        ] {
            let count = shape.reduce(1, *)
            for form in forms {
                let rank = form.startingRanks(of: shape)[0]
                #expect((1...form.maximumRanks(of: shape)[0]).contains(rank))
                #expect(rank == 1 || form.parameterCount(of: shape, ranks: [rank]) <= count)
                if rank < form.maximumRanks(of: shape)[0] {
                    #expect(form.parameterCount(of: shape, ranks: [rank + 1]) > count)
                }
            }
            #expect(DecompositionForm.tucker2.startingRanks(of: shape) == [shape[0], shape[1]])
        }
        // The paper's bound for CP: T S h w / (T + S + h + w).
        #expect(DecompositionForm.canonicalPolyadic.startingRanks(of: [512, 512, 3, 3]) == [2290])
    }

    @Test func ranksFromVBMF() throws {
        var random = SeededGenerator(seed: 122)
        // Three terms under a little noise.
        let exact = try CanonicalPolyadic(
            outputs: random.matrix(24, 3), inputs: random.matrix(16, 3), rows: random.matrix(3, 3),
            columns: random.matrix(3, 3)
        ).reconstructed(pool: pool)
        var elements = exact.elements
        for index in elements.indices { elements[index] += 0.01 * random.value() }
        let kernel = try ConvolutionKernel(outputs: 24, inputs: 16, height: 3, width: 3, elements: elements)
        #expect(try RankSelection.vbmfRanks(of: kernel, form: .canonicalPolyadic, pool: pool) == [3])
        #expect(try RankSelection.vbmfRanks(of: kernel, form: .spatial, pool: pool) == [3])
        #expect(try RankSelection.vbmfRanks(of: kernel, form: .lowRank, pool: pool) == [3])
        let largest = 24 * 16 * 9 / (24 + 16 + 6)
        #expect(
            try RankSelection.ranks(of: kernel, form: .canonicalPolyadic, ratio: 0.5, pool: pool) == [(largest + 3) / 2]
        )
        #expect(try RankSelection.ranks(of: kernel, form: .canonicalPolyadic, ratio: 0, pool: pool) == [largest])
    }

    @Test func randomNumbersAreNormalAndSeeded() {
        var (a, b) = (RandomNumbers(seed: 7), RandomNumbers(seed: 7))
        let values = (0..<100_000).map { _ in a.normal() }
        #expect(values.prefix(100).allSatisfy { $0 == b.normal() })
        let mean = values.reduce(0, +) / 100_000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
        #expect(abs(mean) < 0.02 && abs(variance - 1) < 0.02)
        // 4.55 % lie outside of two deviations.
        #expect(abs(Double(values.count { abs($0) > 2 }) / 100_000 - 0.0455) < 0.004)
    }
}
