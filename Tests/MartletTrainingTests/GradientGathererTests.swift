import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import MartletTraining
import Testing

@Suite struct GradientGathererTests {
    private let channels = 3
    private let side = 5

    /// A 3x3 convolution without border, the mean over its map, and one class or more.
    private func network(classes: Int) throws -> Network {
        var builder = NetworkBuilder(seed: 8)
        let a = try builder.convolution("layer", "input", outputs: 4, inputs: channels, kernel: [3, 3])
        let b = builder.node("pool", .globalAveragePool, [a])
        let c = builder.node("flatten", .flatten(axis: 1), [b])
        let weight = try builder.constant("fc.weight", [4, classes])
        let d = builder.node("fc", .gemm(Gemm()), [c, weight])
        return builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(channels), .fixed(side), .fixed(side)]), output: d,
            type: TensorType(.float32, [.symbol("N"), .fixed(classes)]))
    }

    private func images(_ count: Int) throws -> [Tensor] {
        var generator = SeededGenerator(seed: 3)
        return try (0..<count).map { _ in
            try Tensor(generator.floats(channels * side * side), shape: [1, channels, side, side])
        }
    }

    private func gathered(
        _ network: Network, _ source: GradientStatistics.Source, images: [Tensor], labels: [Int]? = nil, draws: Int = 1,
        threads: Int = 1
    ) throws -> GradientStatistics {
        let gatherer = try GradientGatherer(
            network: network, source: source, draws: draws, pool: ThreadPool(threadCount: threads))
        for (index, image) in images.enumerated() { try gatherer.add(image, label: labels?[index]) }
        return try gatherer.statistics(data: "", dataDigest: "", preprocessing: "", version: "")
    }

    /// With one class the sign drawn does not matter: the gradient at each of the nine places is a ninth of the class's
    /// weights, and that of the convolution's weights the mean patch times them.
    @Test func scoresOfOneClassAreExact() throws {
        let network = try network(classes: 1)
        let images = try images(2)
        let statistics = try gathered(network, .scores, images: images)
        let layers = network.weightedLayers()
        let weights = try #require(network.constants["fc.weight"]).elements(Float.self).map(Double.init)
        let sums = try statistics.gradients(of: layers[0])
        #expect(sums.count == 2 * 9)
        let lambda = sums.outputMoment()
        for i in 0..<4 {
            for j in 0..<4 { #expect(abs(lambda[i, j] - weights[i] * weights[j] / 81) < 1e-7) }
        }
        let fisher = try sums.fisherInformation()
        for output in 0..<4 {
            for index in 0..<27 {
                let (channel, row, column) = (index / 9, index / 3 % 3, index % 3)
                let expected = try images.reduce(0.0) { sum, image in
                    let x = try image.elements(Float.self)
                    var mean = 0.0
                    for place in 0..<9 {
                        mean += Double(x[channel * 25 + (place / 3 + row) * 5 + place % 3 + column]) / 9
                    }
                    return sum + mean * mean * weights[output] * weights[output]
                }
                #expect(abs(fisher[output, index] - expected) < 1e-6 * max(1, expected))
            }
        }
        // The class itself: its gradient is one.
        let last = try statistics.gradients(of: layers[1])
        #expect(last.outputMoment()[0, 0] == 1)
    }

    /// Signs have mean zero and square one: over many draws the gradients of different classes do not mix.
    @Test func signsAddUpAllClasses() throws {
        let network = try network(classes: 3)
        let statistics = try gathered(network, .scores, images: try images(1), draws: 4000)
        let layers = network.weightedLayers()
        let moment = try statistics.gradients(of: layers[1]).outputMoment()
        for i in 0..<3 {
            for j in 0..<3 { #expect(abs(moment[i, j] - (i == j ? 1 : 0)) < 0.06) }
        }
        let weights = try #require(network.constants["fc.weight"]).elements(Float.self).map(Double.init)
        let lambda = try statistics.gradients(of: layers[0]).outputMoment()
        for i in 0..<4 {
            for j in 0..<4 {
                let expected = (0..<3).reduce(0.0) { $0 + weights[i * 3 + $1] * weights[j * 3 + $1] } / 81
                #expect(abs(lambda[i, j] - expected) < 0.01)
            }
        }
    }

    /// At the scores the gradient of the cross-entropy is the probabilities less the label.
    @Test func labelsAndPredictions() throws {
        let network = try network(classes: 3)
        let images = try images(1)
        let outputs = try DifferentiableNetwork(network).outputs(["input": images[0]])[0].elements(Float.self)
        let exponentials = outputs.map { exponential(Double($0)) }
        let probabilities = exponentials.map { $0 / exponentials.reduce(0, +) }
        let last = network.weightedLayers()[1]
        let labelled = try gathered(network, .labels, images: images, labels: [2]).gradients(of: last).outputMoment()
        let drawn = try gathered(network, .predictions, images: images, draws: 4000).gradients(of: last).outputMoment()
        for i in 0..<3 {
            for j in 0..<3 {
                let gradient = [i, j].map { probabilities[$0] - ($0 == 2 ? 1 : 0) }
                #expect(abs(labelled[i, j] - gradient[0] * gradient[1]) < 1e-6)
                // The Fisher information of a softmax: diag(p) - p p^T.
                let fisher = (i == j ? probabilities[i] : 0) - probabilities[i] * probabilities[j]
                #expect(abs(drawn[i, j] - fisher) < 0.03)
            }
        }
        #expect(throws: TrainingError.noLabel(image: "image 0")) { try gathered(network, .labels, images: images) }
    }

    /// By squaring a short series.
    private func exponential(_ x: Double) -> Double {
        let small = x / 1024
        var result = 1 + small * (1 + small / 2 * (1 + small / 3 * (1 + small / 4)))
        for _ in 0..<10 { result *= result }
        return result
    }

    @Test func threadsDoNotMatter() throws {
        let network = try SmallNetwork.residual()
        var generator = SeededGenerator(seed: 5)
        let images = try (0..<3).map { _ in try Tensor(generator.floats(3 * 144), shape: [1, 3, 12, 12]) }
        let one = try gathered(network, .predictions, images: images, draws: 2)
        let four = try gathered(network, .predictions, images: images, draws: 2, threads: 4)
        for layer in network.weightedLayers() {
            let (a, b) = (try one.gradients(of: layer), try four.gradients(of: layer))
            #expect(a.outputMoment() == b.outputMoment())
            #expect(try a.fisherInformation() == b.fisherInformation())
        }
        #expect(throws: StatisticsError.empty) { try gathered(network, .scores, images: []) }
    }
}
