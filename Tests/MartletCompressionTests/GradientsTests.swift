import MartletCompression
import MartletDecompositions
import MartletNetworks
import MartletStatistics
import MartletTestSupport
import Testing

/// The complete norm and weights from gradients, from a network to a smaller one.
@Suite struct GradientsTests {
    private let tests = CompressorTests()

    /// `tr(Lambda E Sigma E^T)` over that of `W`, of one compressed layer, by what it computes.
    private func completeError(
        _ network: Network, _ compressed: Network, gradients: GradientStatistics, statistics: Statistics
    ) throws -> Double {
        let layer = try #require(network.weightedLayers().first)
        let size = layer.patchSize
        let weight = try #require(network.constants[layer.weight]).elements(Float.self).map(Double.init)
        // The chain in place of the layer, multiplied out: 1x1 layers alone.
        var dense = [[Double]](repeating: [], count: 0)
        for link in compressed.weightedLayers() {
            let elements = try #require(compressed.constants[link.weight]).elements(Float.self).map(Double.init)
            let rows = (0..<link.outputs).map { Array(elements[$0 * link.inputs..<($0 + 1) * link.inputs]) }
            dense =
                dense.isEmpty
                ? rows
                : rows.map { row in
                    (0..<dense[0].count).map { column in
                        row.indices.reduce(0) { $0 + row[$1] * dense[$1][column] }
                    }
                }
        }
        let sigma = try statistics.moments(of: layer).secondMoment()
        let lambda = try gradients.gradients(of: layer).outputMoment()
        func energy(_ value: (Int, Int) -> Double) -> Double {
            var sum = 0.0
            for t in 0..<layer.outputs {
                for u in 0..<layer.outputs {
                    for i in 0..<size {
                        for j in 0..<size { sum += lambda[t, u] * value(u, i) * sigma[i, j] * value(t, j) }
                    }
                }
            }
            return sum
        }
        return energy { weight[$0 * size + $1] - dense[$0][$1] } / energy { weight[$0 * size + $1] }
    }

    private func pointwise() throws -> Network {
        var builder = NetworkBuilder(seed: 6)
        let output = try builder.convolution("layer", "input", outputs: 9, inputs: 7, kernel: [1, 1])
        return builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(7), .fixed(5), .fixed(5)]), output: output,
            type: TensorType(.float32, [.symbol("N"), .fixed(9), .fixed(5), .fixed(5)]))
    }

    @Test func theCompleteNormLowersTheCompleteError() throws {
        let network = try pointwise()
        let statistics = try tests.statistics(network)
        let gradients = try tests.gradients(network)
        var compressor = Compressor(method: .svdSigma, ranks: .explicit(["layer": [3]]), pool: tests.pool)
        compressor.rules.includesFirstConvolution = true
        compressor.options.outputRegularization = 1e-6
        compressor.options.regularization = 1e-6
        let plain = try compressor.compress(network, statistics: statistics).network
        compressor.gradients = gradients
        // Gradients alone change nothing.
        #expect(try compressor.compress(network, statistics: statistics).network.constants == plain.constants)
        compressor.usesCompleteNorm = true
        let (complete, report) = try compressor.compress(network, statistics: statistics)
        let found = try completeError(network, complete, gradients: gradients, statistics: statistics)
        #expect(
            found < 0.99 * (try completeError(network, plain, gradients: gradients, statistics: statistics)))
        #expect(abs(found - (report.layers[0].trace?.last ?? 1)) < 1e-3 * found)
        #expect(abs(found - (report.layers[0].completeError ?? 1)) < 1e-5 * found)
    }

    @Test func asksForGradients() throws {
        let network = try pointwise()
        let statistics = try tests.statistics(network)
        var compressor = Compressor(method: .svdSigma, ranks: .explicit(["layer": [3]]), pool: tests.pool)
        compressor.usesCompleteNorm = true
        #expect(throws: CompressionError.needsGradients(purpose: "the complete norm")) {
            try compressor.compress(network, statistics: statistics)
        }
        #expect(throws: CompressionError.needsGradients(purpose: "the method fw-lra")) {
            try Compressor(method: .fwLRA, ranks: .vbmf(ratio: 0.5), pool: tests.pool)
                .compress(network, statistics: nil)
        }
        compressor.gradients = try tests.gradients(SmallNetwork.residual())
        #expect(throws: StatisticsError.self) { try compressor.compress(network, statistics: statistics) }
    }

    /// A budget with weights from gradients is met, and gradients that say that only one layer matters spare it.
    @Test func weightsSpareWhatMatters() throws {
        let network = try SmallNetwork.residual(seed: 5)
        let statistics = try tests.statistics(network)
        var compressor = BudgetCompressor(budget: .part(.parameters, 0.6), pool: tests.pool)
        compressor.weights = .gradients
        #expect(throws: CompressionError.self) {
            try compressor.compress(network, statistics: statistics, comparison: nil)
        }
        var errors: [Double] = []
        for loud in [1, 1000] as [Float] {
            var layers: [String: LayerGradients] = [:]
            for layer in network.weightedLayers() {
                var sums = try LayerGradients(outputs: layer.outputs, patchSize: layer.patchSize)
                let size = layer.outputs
                let scale: Float = layer.name == "block.2" ? loud : 1
                try sums.add(
                    products: (0..<size * size).map { $0 % (size + 1) == 0 ? scale : 0 }, count: size)
                layers[layer.name] = sums
            }
            compressor.compressor.gradients = GradientStatistics(
                provenance: try tests.gradients(network).provenance, source: .scores, draws: 1, layers: layers)
            let result = try compressor.compress(network, statistics: statistics, comparison: nil)
            let part = Double(result.report.parametersAfter) / Double(result.report.parametersBefore)
            #expect(part <= 0.6 && part > 0.5)
            errors.append(result.plan.layers.first { $0.name == "block.2" }?.choice?.error ?? 0)
        }
        #expect(errors[1] < errors[0])
    }
}
