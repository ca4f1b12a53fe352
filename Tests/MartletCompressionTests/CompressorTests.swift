import Foundation
import MartletCompression
import MartletDecompositions
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct CompressorTests {
    let pool = ThreadPool(threadCount: 2)

    func statistics(_ network: Network, images: Int = 16, seed: UInt64 = 2) throws -> Statistics {
        let gatherer = try StatisticsGatherer(network: network, pool: pool)
        try gatherer.add(try images_(network, count: images, seed: seed))
        return try gatherer.statistics(data: "noise", dataDigest: "", preprocessing: "", version: "")
    }

    /// Noise whose neighbours are alike, as in photographs: Sigma is far from the identity.
    func images_(_ network: Network, count: Int, seed: UInt64) throws -> Tensor {
        let extents = [count] + network.inputs[0].type.dimensions.dropFirst().map { $0.value ?? 1 }
        var generator = SeededGenerator(seed: seed)
        var x = generator.floats(extents.reduce(1, *))
        for i in 1..<x.count { x[i] = 0.9 * x[i - 1] + 0.3 * x[i] }
        return try Tensor(x, shape: try Shape(extents))
    }

    /// Random gradients at every layer.
    func gradients(_ network: Network, seed: UInt64 = 3) throws -> GradientStatistics {
        var generator = SeededGenerator(seed: seed)
        var layers: [String: LayerGradients] = [:]
        for layer in network.weightedLayers() {
            let (outputs, patchSize) = (layer.outputs, layer.patchSize)
            var sums = try LayerGradients(outputs: outputs, patchSize: patchSize)
            let factors = generator.floats(outputs * outputs)
            let products = (0..<outputs * outputs).map { index in
                (0..<outputs).reduce(Float(0)) {
                    $0 + factors[index / outputs * outputs + $1] * factors[index % outputs * outputs + $1]
                }
            }
            try sums.add(products: products, count: outputs)
            try sums.add(weights: generator.floats(outputs * patchSize), isTransposed: false)
            layers[layer.name] = sums
        }
        let provenance = Provenance(
            network: network.name, networkDigest: NetworkDigest.digest(of: network), data: "noise", dataDigest: "",
            preprocessing: "", images: 4, version: "")
        return GradientStatistics(provenance: provenance, source: .scores, draws: 1, layers: layers)
    }

    func output(_ network: Network, _ input: Tensor) throws -> [Float] {
        let outputs = try Executor(network: network, pool: pool).run([network.inputs[0].name: input])
        return try #require(outputs[network.outputs[0].name]).elements(Float.self)
    }

    /// One convolution, replaced at these ranks whatever it costs or saves.
    func replaced(
        _ convolution: Convolution, extents: [Int], weight: [Int], ranks: [Int],
        method: DecompositionMethod = .tucker2ALSSigma
    ) throws -> (before: Network, after: Network, report: CompressionReport) {
        var builder = NetworkBuilder(seed: 4)
        let name = try builder.constant("weight", weight)
        let bias = try builder.constant("bias", [weight[0]])
        let output = builder.node("layer", .convolution(convolution), ["input", name, bias])
        let type = TensorType(.float32, [.symbol("N")] + extents.map { .fixed($0) })
        let network = builder.network(
            input: type, output: output,
            type: TensorType(.float32, [Extent](repeating: .unknown, count: extents.count + 1)))
        var compressor = Compressor(method: method, ranks: .explicit(["layer": ranks]), pool: pool)
        compressor.rules.includesFirstConvolution = true
        compressor.gradients = try gradients(network)
        let (after, report) = try compressor.compress(network, statistics: try statistics(network))
        return (network, after, report)
    }

    @Test(arguments: [
        Window(kernel: [3, 3], strides: [2, 2], padding: .explicit(before: [1, 0], after: [1, 2])),
        Window(kernel: [3, 3], dilations: [2, 2], padding: .explicit(before: [2, 2], after: [2, 2])),
        Window(kernel: [5, 3], padding: .sameUpper), Window(kernel: [2, 4], strides: [1, 2], padding: .sameLower),
        Window(kernel: [3, 3], padding: .valid), Window(kernel: [7], padding: .sameUpper),
        Window(kernel: [1, 5], padding: .explicit(before: [0, 2], after: [0, 2])),
    ])
    func computesWhatTheErrorSays(window: Window) throws {
        // A kernel that is exactly of these ranks: of the input channels only one matters, of the output channels two.
        let extents = window.rank == 2 ? [6, 11, 10] : [6, 23]
        let weight = [7, 6] + window.kernel
        let (before, after, report) = try replaced(
            Convolution(window: window), extents: extents, weight: weight, ranks: [2, 3])
        let layer = report.layers[0]
        #expect(layer.kept == nil)
        #expect(after.nodes.map(\.name) == ["layer.input_factor", "layer.core", "layer.output_factor"])
        #expect(layer.parametersAfter == 7 * 2 + 6 * 3 + 6 * window.tapCount + 7)
        // On the images of the statistics the mean squared change of the output is what the Sigma error says.
        let x = try images_(before, count: 16, seed: 2)
        let (a, b) = (try output(before, x), try output(after, x))
        let bias = try #require(before.constants["bias"]).elements(Float.self)
        let pixels = a.count / 16 / 7
        var (change, total) = (0.0, 0.0)
        for i in a.indices {
            let linear = Double(a[i] - bias[i / pixels % 7])
            change += Double(a[i] - b[i]) * Double(a[i] - b[i])
            total += linear * linear
        }
        let error = try #require(layer.sigmaError)
        #expect(error > 0.001)
        #expect(abs(change / total - error) < 1e-4 * error + 1e-6)
    }

    /// Every method, on every kind of window: what it writes computes what its error says.
    @Test(arguments: DecompositionMethod.allCases)
    func everyMethodComputesWhatTheErrorSays(method: DecompositionMethod) throws {
        let windows =
            !method.layerKinds.contains(.convolution)
            ? [
                Window(kernel: [1, 1]),
                Window(kernel: [1, 1], strides: [2, 1], padding: .explicit(before: [1, 0], after: [0, 2])),
                Window(kernel: [1]),
            ]
            : [
                Window(kernel: [3, 3], strides: [2, 2], padding: .explicit(before: [1, 0], after: [1, 2])),
                Window(kernel: [3, 3], dilations: [2, 1], padding: .explicit(before: [2, 1], after: [2, 1])),
                Window(kernel: [5, 3], strides: [1, 2], padding: .sameUpper),
                Window(kernel: [2, 4], strides: [3, 1], padding: .sameLower), Window(kernel: [7], padding: .sameUpper),
                Window(kernel: [1, 5], strides: [2, 1], padding: .explicit(before: [0, 2], after: [0, 2])),
                Window(kernel: [3, 1], strides: [1, 2], padding: .valid),
            ]
        for window in windows {
            let extents = window.rank == 2 ? [6, 11, 10] : [6, 23]
            let (before, after, report) = try replaced(
                Convolution(window: window), extents: extents, weight: [7, 6] + window.kernel,
                ranks: method.form == .tucker2 ? [2, 2] : [2], method: method)
            let layer = report.layers[0]
            #expect(layer.kept == nil)
            #expect(layer.method == method)
            let weights = after.constants.filter { $0.key != "bias" }.values.reduce(0) { $0 + $1.shape.elementCount }
            #expect(layer.parametersAfter == weights + 7)
            let measured = try measuredError(before, after)
            let error = try #require(layer.sigmaError)
            #expect(error > 0.001)
            #expect(abs(measured - error) < 2e-4 * error + 1e-6, "\(window)")
        }
    }

    /// The mean squared change of the output on the images of the statistics, over its mean square without the bias.
    private func measuredError(_ before: Network, _ after: Network) throws -> Double {
        let x = try images_(before, count: 16, seed: 2)
        let (a, b) = (try output(before, x), try output(after, x))
        let bias = try #require(before.constants["bias"]).elements(Float.self)
        let pixels = a.count / 16 / 7
        var (change, total) = (0.0, 0.0)
        for i in a.indices {
            let linear = Double(a[i] - bias[i / pixels % 7])
            change += Double(a[i] - b[i]) * Double(a[i] - b[i])
            total += linear * linear
        }
        return change / total
    }

    /// Fully connected layers in their three forms.
    @Test(arguments: [DecompositionMethod.svd, .svdSigma])
    func fullyConnectedLayers(method: DecompositionMethod) throws {
        for form in 0..<3 {
            var builder = NetworkBuilder(seed: 6)
            let weight = try builder.constant("weight", form == 0 ? [7, 12] : [12, 7])
            let bias = try builder.constant("bias", [7])
            let output: String
            switch form {
            case 0: output = builder.node("layer", .gemm(Gemm(transposesB: true)), ["input", weight, bias])
            case 1: output = builder.node("layer", .gemm(Gemm()), ["input", weight, bias])
            default:
                let product = builder.node("layer", .matMul, ["input", weight])
                output = builder.node("sum", .arithmetic(.add), [product, bias])
            }
            let before = builder.network(
                input: TensorType(.float32, [.symbol("N"), .fixed(12)]), output: output,
                type: TensorType(.float32, [.symbol("N"), .fixed(7)]))
            let compressor = Compressor(method: method, ranks: .explicit(["layer": [3]]), pool: pool)
            let (after, report) = try compressor.compress(before, statistics: try statistics(before))
            #expect(report.layers[0].kept == nil)
            #expect(report.layers[0].parametersAfter == 3 * 19 + (form < 2 ? 7 : 0))
            let error = try #require(report.layers[0].sigmaError)
            #expect(abs(try measuredError(before, after) - error) < 1e-4 * error)
        }
    }

    /// What the moments say about the magnitudes of outputs, against the outputs themselves.
    @Test func theOrderOfMagnitudesIsThatOfTheOutputs() throws {
        let network = try SmallNetwork.residual()
        let report = try Compressor(method: .agLRA, ranks: .explicit(["block.1": [4, 4]]), pool: pool)
            .compress(network, statistics: try statistics(network)).report
        let plain = try Compressor(method: .tucker2ALS, ranks: .explicit(["block.1": [4, 4]]), pool: pool)
            .compress(network, statistics: try statistics(network)).report
        let (weighted, frobenius) = (report.layers[1], plain.layers[1])
        #expect(try #require(frobenius.frobeniusError) < #require(weighted.frobeniusError))
        #expect(weighted.parametersAfter == frobenius.parametersAfter)
    }

    @Test func seedsAreReportedAndChangeNothing() throws {
        let network = try SmallNetwork.residual()
        var compressor = Compressor(method: .cpALS, ranks: .explicit(["block.1": [5]]), pool: pool)
        let plain = try compressor.compress(network, statistics: nil)
        compressor.seedCount = 4
        let seeded = try compressor.compress(network, statistics: nil)
        #expect(seeded.network == plain.network)
        let spread = try #require(seeded.report.layers.first { $0.name == "block.1" }?.seeds)
        #expect(spread.errors.count == 4 && Set(spread.errors).count > 1)
        #expect(spread.range.least <= spread.range.median && spread.range.median <= spread.range.largest)
        // Each error is that of the seed by itself.
        compressor.seedCount = 0
        compressor.options.start = .random
        compressor.options.seed = 2
        let third = try compressor.compress(network, statistics: nil).report.layers.first { $0.name == "block.1" }
        #expect(third?.trace?.last == spread.errors[2])
    }

    @Test func isExactAtFullRankOfTheKernel() throws {
        // A kernel [8, 8, 3, 3] made of ranks 2 and 3 is found again.
        let network = try SmallNetwork.residual()
        var low = network
        var generator = SeededGenerator(seed: 12)
        let (u, g, v) = (generator.floats(16), generator.floats(54), generator.floats(24))
        var kernel = [Float](repeating: 0, count: 576)
        for t in 0..<8 {
            for s in 0..<8 {
                for tap in 0..<9 {
                    for p in 0..<2 {
                        for q in 0..<3 {
                            kernel[(t * 8 + s) * 9 + tap] +=
                                0.3 * u[t * 2 + p] * g[(p * 3 + q) * 9 + tap] * v[s * 3 + q]
                        }
                    }
                }
            }
        }
        low.constants["block.1.weight"] = try Tensor(kernel, shape: [8, 8, 3, 3])
        for method in [DecompositionMethod.tucker2ALS, .tucker2ALSSigma] {
            let compressor = Compressor(method: method, ranks: .explicit(["block.1": [2, 3]]), pool: pool)
            let (after, report) = try compressor.compress(low, statistics: try statistics(low))
            let layer = try #require(report.layers.first { $0.name == "block.1" })
            #expect(try #require(layer.frobeniusError) < 1e-9)
            let x = try images_(low, count: 3, seed: 5)
            let (a, b) = (try output(low, x), try output(after, x))
            #expect(relativeDifference(b, a.map { Double($0) }) < 1e-4)
        }
    }

    @Test func theSigmaNormIsBetterInSigmaAndTheFrobeniusNormInFrobenius() throws {
        let network = try SmallNetwork.residual()
        let statistics = try statistics(network)
        let reports = try [DecompositionMethod.tucker2ALS, .tucker2ALSSigma].map {
            try Compressor(method: $0, ranks: .explicit(["block.1": [4, 4], "down": [5, 4]]), pool: pool)
                .compress(network, statistics: statistics).report
        }
        for (frobenius, sigma) in zip(reports[0].layers, reports[1].layers) where frobenius.kept == nil {
            #expect(try #require(sigma.sigmaError) < #require(frobenius.sigmaError))
            #expect(try #require(frobenius.frobeniusError) < #require(sigma.frobeniusError))
            #expect(frobenius.parametersAfter == sigma.parametersAfter)
        }
    }

    @Test func saysWhyALayerStays() throws {
        let network = try SmallNetwork.residual()
        let compressor = Compressor(method: .tucker2ALS, ranks: .vbmf(ratio: 0), pool: pool)
        let (after, report) = try compressor.compress(network, statistics: nil)
        let kept = Dictionary(uniqueKeysWithValues: report.layers.map { ($0.name, $0.kept) })
        #expect(kept["stem"] == "first convolution")
        #expect(kept["block.1"] == "would not get smaller")
        #expect(kept["point"] == "pointwise")
        #expect(kept["fc"] == "fully connected")
        #expect(after.nodes == network.nodes)
        #expect(report.parametersBefore == report.parametersAfter)
        #expect(report.compressionRate == 1)
    }

    @Test func countsWhatIsLeft() throws {
        let network = try SmallNetwork.residual()
        let compressor = Compressor(
            method: .tucker2ALS, ranks: .explicit(["block.1": [3, 2], "down": [4, 5]]), pool: pool)
        let (after, report) = try compressor.compress(network, statistics: nil)
        let block = try #require(report.layers.first { $0.name == "block.1" })
        #expect(block.parametersBefore == 8 * 8 * 9 + 8)
        #expect(block.parametersAfter == 8 * 2 + 2 * 3 * 9 + 3 * 8 + 8)
        #expect(block.multiplyAddsBefore == 144 * 576)
        #expect(block.multiplyAddsAfter == 144 * (16 + 54 + 24))
        let down = try #require(report.layers.first { $0.name == "down" })
        // The stride is the core's: the first factor still sees every pixel.
        #expect(down.multiplyAddsAfter == 144 * 8 * 5 + 36 * (5 * 4 * 9 + 4 * 12))
        let sum = after.constants.values.reduce(0) { $0 + $1.shape.elementCount }
        #expect(report.parametersAfter == sum)
    }

    @Test func theNumberOfThreadsDoesNotMatter() throws {
        let network = try SmallNetwork.residual()
        let statistics = try statistics(network)
        let results = try [1, 3].map { threads in
            try Compressor(
                method: .tucker2ALSSigma, ranks: .vbmf(ratio: 0.8), pool: ThreadPool(threadCount: threads)
            ).compress(network, statistics: statistics).network
        }
        #expect(results[0] == results[1])
    }

    @Test func refusesWhatMakesNoSense() throws {
        let network = try SmallNetwork.residual()
        func compress(_ method: DecompositionMethod, _ ranks: RankChoice, _ statistics: Statistics? = nil) throws {
            _ = try Compressor(method: method, ranks: ranks, pool: pool).compress(network, statistics: statistics)
        }
        #expect(throws: CompressionError.needsStatistics(method: "tucker2-als-sigma")) {
            try compress(.tucker2ALSSigma, .vbmf(ratio: 0.5))
        }
        #expect(throws: CompressionError.ratioOutOfRange(1.5)) { try compress(.tucker2ALS, .vbmf(ratio: 1.5)) }
        #expect(throws: CompressionError.self) { try compress(.tucker2ALS, .vbmf(ratio: .nan)) }
        #expect(throws: CompressionError.self) { try compress(.tucker2ALS, .explicit(["nobody": [1, 1]])) }
        #expect(throws: CompressionError.rankOutOfRange(layer: "down", ranks: [13, 1], maximum: [12, 8])) {
            try compress(.tucker2ALS, .explicit(["down": [13, 1]]))
        }
        let other = try self.statistics(try SmallNetwork.residual(seed: 99))
        #expect(throws: StatisticsError.self) { try compress(.tucker2ALSSigma, .vbmf(ratio: 0.5), other) }
    }

    @Test func aProgressThatThrowsEndsTheJob() throws {
        struct Stop: Error {}
        let compressor = Compressor(method: .tucker2ALS, ranks: .vbmf(ratio: 0.8), pool: pool)
        #expect(throws: Stop.self) {
            try compressor.compress(
                try SmallNetwork.residual(), statistics: nil, progress: { _, _, _ in throw Stop() })
        }
        #expect(throws: Stop.self) {
            try compressor.compress(
                try SmallNetwork.residual(), statistics: nil, checkCancellation: { throw Stop() })
        }
    }

    @Test func readsRanksFromAFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("ranks.json")
        try #"{"a": [3, 4]}"#.write(toFile: path, atomically: true, encoding: .utf8)
        guard case .explicit(let ranks) = try RankChoice(contentsOf: path) else {
            Issue.record("not explicit")
            return
        }
        #expect(ranks == ["a": [3, 4]])
        for text in ["", "[]", #"{"a": 3}"#, #"{"a": [1, 2, 3]}"#, #"{"a": []}"#, #"{"a": [1.5, 2]}"#] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(throws: CompressionError.self) { try RankChoice(contentsOf: path) }
        }
    }
}
