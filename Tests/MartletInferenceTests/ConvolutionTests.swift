import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

@Suite struct ConvolutionTests {
    /// A convolution against loops in double precision.
    private func check(
        _ oracle: WindowOracle, window: Window? = nil, images: Int, channels: Int, outputs: Int, groups: Int = 1,
        hasBias: Bool = true, weightIsConstant: Bool = true, _ generator: inout SeededGenerator
    ) throws {
        let x = try generator.tensor([images, channels] + oracle.input)
        let weight = try generator.tensor([outputs, channels / groups] + oracle.kernel)
        let bias = hasBias ? try generator.tensor([outputs]) : nil
        let convolution = Convolution(window: window ?? oracle.window, groups: groups)
        let y = try run(
            .convolution(convolution), [x, weight, bias], constants: weightIsConstant ? [1, 2] : [],
            threads: generator.integer(1...3))[0]
        let expected = oracle.convolution(
            try x.floats, images: images, channels: channels, weight: try weight.floats, outputs: outputs,
            groups: groups, bias: try bias?.floats)
        #expect(y.shape.extents == [images, outputs] + oracle.output)
        #expect(
            relativeDifference(try y.floats, expected) < 1e-5,
            "\(oracle) \(images) x \(channels) to \(outputs) in \(groups) groups")
    }

    @Test func anyWindowAnyGroups() throws {
        var generator = SeededGenerator(seed: 1)
        for round in 0..<60 {
            let oracle = WindowOracle.random(axes: [2, 1, 2, 3][round % 4], using: &generator)
            if oracle.outputCount * oracle.tapCount > 3000 { continue }
            let groups = generator.integer(1...3)
            try check(
                oracle, images: generator.integer(1...2), channels: groups * generator.integer(1...3),
                outputs: groups * generator.integer(1...3), groups: groups, hasBias: round % 3 > 0,
                weightIsConstant: round % 2 == 0, &generator)
        }
    }

    @Test func depthwiseWithMultiplier() throws {
        var generator = SeededGenerator(seed: 2)
        for multiplier in 1...3 {
            let oracle = WindowOracle.random(axes: 2, using: &generator)
            try check(oracle, images: 2, channels: 4, outputs: 4 * multiplier, groups: 4, &generator)
        }
    }

    @Test(arguments: [true, false]) func samePadding(upper: Bool) throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<20 {
            let oracle = WindowOracle.random(axes: 2, using: &generator).same(upper: upper)
            var window = oracle.window
            window.padding = upper ? .sameUpper : .sameLower
            try check(oracle, window: window, images: 1, channels: 2, outputs: 2, &generator)
        }
    }

    @Test func pointwiseOfAnyStride() throws {
        var generator = SeededGenerator(seed: 4)
        for stride in [1, 2, 3] {
            let oracle = WindowOracle(
                input: [7, 9], kernel: [1, 1], strides: [stride, stride], dilations: [1, 1], before: [0, 0],
                after: [0, 0], output: [6 / stride + 1, 8 / stride + 1])
            try check(oracle, images: 2, channels: 6, outputs: 4, groups: 2, &generator)
        }
    }

    /// Sizes at which the product is cut into tiles and into blocks.
    @Test func tilesAndBlocks() throws {
        var generator = SeededGenerator(seed: 5)
        for (extent, kernel) in [(1100, 3), (1100, 1), (9, 2)] {
            let oracle = WindowOracle(
                input: [extent], kernel: [kernel], strides: [1], dilations: [1], before: [0], after: [0],
                output: [extent - kernel + 1])
            for (images, outputs) in [(1, extent > 100 ? 3 : 150), (3, 2)] {
                try check(oracle, images: images, channels: 2, outputs: outputs, &generator)
            }
        }
    }

    @Test func tilingCoversEverythingOnce() {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<300 {
            let (pixels, outputs) = (generator.integer(0...5000), generator.integer(1...700))
            let tiling = ConvolutionTiling(pixels: pixels, terms: generator.integer(1...20_000), outputs: outputs)
            #expect((0..<tiling.tileCount).flatMap { Array(tiling.tile($0)) } == Array(0..<pixels))
            #expect((0..<tiling.blockCount).flatMap { Array(tiling.block($0)) } == Array(0..<outputs))
        }
    }

    @Test(arguments: [
        Activation.relu, .leakyRelu(slope: 0.1), .sigmoid, .hardSigmoid(alpha: 0.2, beta: 0.5), .hardSwish, .tanh,
        .clip(minimum: -0.5, maximum: 0.25),
    ]) func fusionChangesNoBit(activation: Activation) throws {
        var generator = SeededGenerator(seed: 7)
        // x -> a, b = two convolutions of x; y = activation(a + b); z = activation(a convolution of y).
        let spatial = [5, 6]
        var network = Network(
            name: "residual",
            inputs: [.init(name: "x", type: TensorType(.float32, [.unknown, .unknown, .unknown, .unknown]))],
            outputs: [.init(name: "z", type: TensorType(.float32, []))], nodes: [])
        let window = Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))
        for (name, input, output) in [("first", "x", "a"), ("second", "x", "b"), ("third", "y", "c")] {
            network.constants["\(name).weight"] = try generator.tensor([4, 4, 3, 3])
            network.constants["\(name).bias"] = try generator.tensor([4])
            network.nodes.append(
                Node(
                    name: name, operation: .convolution(Convolution(window: window)),
                    inputs: [input, "\(name).weight", "\(name).bias"], outputs: [output]))
        }
        network.nodes += [
            Node(name: "add", operation: .arithmetic(.add), inputs: ["a", "b"], outputs: ["sum"]),
            Node(name: "middle", operation: .activation(activation), inputs: ["sum"], outputs: ["y"]),
            Node(name: "last", operation: .activation(activation), inputs: ["c"], outputs: ["z"]),
        ]
        let x = try generator.tensor([2, 4] + spatial)
        var options = Executor.Options()
        let fused = try Executor(network: network, pool: pools[1], options: options).run(["x": x])
        options.fuses = false
        let plain = try Executor(network: network, pool: pools[1], options: options).run(["x": x])
        #expect(try fused["z"]?.floats.map(\.bitPattern) == plain["z"]?.floats.map(\.bitPattern))
        #expect(fused["z"]?.shape == [2, 4, 5, 6])
    }
}
