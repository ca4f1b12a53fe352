import MartletLinearAlgebra
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct FactorRotationTests {
    @Test(arguments: [1, 2, 7, 64, 333])
    func theCosineTransformIsOrthogonal(order: Int) throws {
        let transform = FactorRotation.cosineTransform(order)
        let product = try transform.multiplied(by: transform, otherTransposed: true)
        for i in 0..<order {
            for j in 0..<order { #expect(abs(product[i, j] - (i == j ? 1 : 0)) < 1e-13) }
        }
        // No number is large: every channel goes into all.
        #expect(transform.elements.allSatisfy { abs($0) <= (2 / Double(order)).squareRoot() + 1e-12 || order == 1 })
    }

    /// Only what has nothing between is turned: not the CP chain, nor what a ReLU or a sum separates.
    @Test func theNetworkComputesTheSame() throws {
        let network = try branchingNetwork()
        var rotated = network
        try FactorRotation(network).apply(to: &rotated, pool: pools[1])
        let changed = network.constants.keys.filter { network.constants[$0] != rotated.constants[$0] }
        let weights = network.weightedLayers().filter { changed.contains($0.weight) }.map(\.name)
        #expect(weights == ["tucker.1", "tucker.2", "tucker.3"])
        #expect(!changed.contains { $0.hasPrefix("tucker.3") && $0.contains("bias") })
        let batch = try batches(1, extents: [3, 10, 10], seed: 9)[0]
        #expect(try relativeError(rotated, of: network, on: batch) < 1e-12)
    }

    /// Two fully connected layers, of which one weight is stored transposed and one is not.
    @Test func fullyConnectedFactorsToo() throws {
        var builder = NetworkBuilder(seed: 3)
        let first = builder.node(
            "one", .gemm(Gemm(transposesB: true)),
            ["input", try builder.constant("one.weight", [5, 7]), try builder.constant("one.bias", [5])])
        let second = builder.node(
            "two", .gemm(Gemm(transposesB: false)),
            [first, try builder.constant("two.weight", [5, 4]), try builder.constant("two.bias", [4])])
        let network = try builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(7)]), output: second,
            type: TensorType(.float32, [.symbol("N"), .fixed(4)])
        ).simplified()
        var rotated = network
        try FactorRotation(network).apply(to: &rotated, pool: pools[0])
        for name in ["one.weight", "one.bias", "two.weight"] {
            #expect(network.constants[name] != rotated.constants[name], "\(name)")
        }
        #expect(network.constants["two.bias"] == rotated.constants["two.bias"])
        #expect(try relativeError(rotated, of: network, on: batches(1, extents: [7])[0]) < 1e-12)
    }

    /// Channels with rare numbers far out, as the factors of a trained layer have, lose less in 8 bits when mixed.
    @Test func channelsWithNumbersFarOutLoseLess() throws {
        var builder = NetworkBuilder(seed: 11)
        let rank = 64
        let first = try builder.convolution("one", "input", outputs: rank, inputs: rank, kernel: [1, 1])
        let core = try builder.convolution("two", first, outputs: 32, inputs: rank, kernel: [3, 3], padding: 1)
        var network = try builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(rank), .fixed(10), .fixed(10)]), output: core,
            type: TensorType(.float32, [.symbol("N"), .fixed(32), .fixed(10), .fixed(10)])
        ).simplified()
        var weight = try #require(network.constants["one.weight"])
        try weight.withMutableElements(of: Float.self) { weight in
            for channel in 0..<rank { weight[channel * rank + channel] += 2 }
        }
        network.constants["one.weight"] = weight
        let images = try batches(2, extents: [rank, 10, 10]).map { batch in
            try Tensor(batch.elements(Float.self).map { abs($0) < 0.998 ? 0.02 * $0 : $0 }, shape: batch.shape)
        }
        func error(_ rotates: Bool) throws -> Double {
            var quantizer = StaticQuantizer(pool: pools[1])
            quantizer.options.rotates = rotates
            let quantized = try quantizer.quantized(network, batches: source(images))
            return quantized.report.layers.first { $0.name == "two" }?.error ?? .infinity
        }
        let (with, without) = (try error(true), try error(false))
        #expect(with < 0.5 * without, "\(with), \(without)")
    }
}
