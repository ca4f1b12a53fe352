import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

/// Networks whose weights are held in half precision, against the same networks with them widened.
@Suite struct HalfWeightTests {
    /// Direct and Winograd's convolutions and a fully connected layer, large enough for their weights to stay in half
    /// precision, and small ones that are not; weights are halves behind casts.
    private func network(winogradScale: Float = 0.1) throws -> Network {
        var generator = SeededGenerator(seed: 8)
        var network = Network(
            name: "halves",
            inputs: [.init(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(11), .fixed(9)]))],
            outputs: [.init(name: "y", type: TensorType(.float32, [.symbol("N"), .fixed(70)]))], nodes: [])
        func layer(_ name: String, _ operation: Operator, _ input: String, _ extents: [Int]) throws {
            let scale = name == "winograd" ? winogradScale : 0.1
            let values = generator.floats(extents.reduce(1, *)).map { Float16($0 * scale) }
            network.constants["\(name).half"] = try Tensor(values, shape: Shape(extents))
            network.constants["\(name).bias"] = try generator.tensor([extents[0]])
            network.nodes += [
                Node(name: "", operation: .cast(to: .float32), inputs: ["\(name).half"], outputs: ["\(name).weight"]),
                Node(
                    name: name, operation: operation, inputs: [input, "\(name).weight", "\(name).bias"], outputs: [name]
                ),
            ]
        }
        let same = Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))
        let point = Window(kernel: [1, 1], padding: .valid)
        let stride = Window(kernel: [3, 3], strides: [2, 2], padding: .valid)
        try layer("first", .convolution(Convolution(window: same)), "x", [20, 3, 3, 3])
        try layer("point", .convolution(Convolution(window: point)), "first", [264, 20, 1, 1])
        try layer("wide", .convolution(Convolution(window: point, activation: .relu)), "point", [250, 264, 1, 1])
        try layer("winograd", .convolution(Convolution(window: same)), "wide", [72, 250, 3, 3])
        try layer("depthwise", .convolution(Convolution(window: same, groups: 72)), "winograd", [72, 1, 3, 3])
        try layer("strided", .convolution(Convolution(window: stride)), "depthwise", [130, 72, 3, 3])
        network.nodes.append(Node(name: "flat", operation: .flatten(axis: 1), inputs: ["strided"], outputs: ["flat"]))
        try layer("y", .gemm(Gemm(transposesB: true)), "flat", [70, 130 * 5 * 4])
        return try network.validated()
    }

    private func results(
        _ network: Network, _ x: Tensor, _ set: InstructionSet, threads: Int = 1, prefers: ConvolutionAlgorithm? = nil
    ) throws -> [Float] {
        var options = Executor.Options()
        options.instructionSet = set
        options.prefers = prefers
        let executor = try Executor(network: network, pool: pools[threads - 1], options: options)
        return try #require(try executor.run(["x": x])["y"]).floats
    }

    @Test(arguments: InstructionSet.allCases.filter(\.isSupported)) func areReadAsTheyAre(set: InstructionSet) throws {
        let network = try network()
        let (kept, widened) = (try network.simplified(keepingHalfWeights: true), try network.simplified())
        #expect(kept.constants.values.filter { $0.elementType == .float16 }.count == 6)
        #expect(widened.constants.values.allSatisfy { $0.elementType == .float32 })
        var generator = SeededGenerator(seed: 9)
        let x = try generator.tensor([3, 3, 11, 9])
        let direct = try results(widened, x, set, prefers: .direct)
        let scale = direct.map(abs).max() ?? 0
        // Only the order of the fully connected layer's sums is another.
        let same = try results(kept, x, set, prefers: .direct)
        #expect(zip(same, direct).allSatisfy { abs($0 - $1) <= 3e-6 * scale })
        // Winograd's weights are rounded once more.
        for tile in [WinogradTile.f2x3, .f4x3] {
            let filtered = try results(kept, x, set, prefers: .winograd(tile))
            #expect(zip(filtered, direct).allSatisfy { abs($0 - $1) <= 2e-3 * scale })
        }
        // The same to the bit for any number of threads, alone and in a batch.
        let one = try results(kept, x, set)
        #expect(try results(kept, x, set, threads: 3) == one)
        let alone = try (0..<3).flatMap { try results(kept, try x.images($0..<$0 + 1), set, threads: 2) }
        #expect(alone == one)
    }

    @Test func plansTakeLessMemory() throws {
        let network = try network()
        let x = try Tensor(zeros: [1, 3, 11, 9], elementType: .float32)
        for prefers in [ConvolutionAlgorithm.direct, .winograd(.f4x3)] {
            let bytes = try [true, false].map { keeps in
                let typed = try network.simplified(keepingHalfWeights: keeps)
                var options = Executor.Options()
                options.prefers = prefers
                var builder = try PlanBuilder(
                    network: typed, shapes: [x.shape], values: [:], options: options, workers: 1,
                    weights: PreparedWeights())
                _ = try builder.build()
                return builder.weights.byteCount
            }
            let widens = try KernelSet.best().widensHalves
            #expect(widens ? 100 * bytes[0] < 60 * bytes[1] : bytes[0] == bytes[1])
        }
    }

    /// Weights so large that Winograd's transform of them could be no halves are widened.
    @Test func whatDoesNotFitIsWidened() throws {
        let network = try network(winogradScale: 40_000)
        let (kept, widened) = (try network.simplified(keepingHalfWeights: true), try network.simplified())
        var generator = SeededGenerator(seed: 10)
        let x = try generator.tensor([1, 3, 11, 9])
        let set = try InstructionSet.chosen()
        let tile = ConvolutionAlgorithm.winograd(.f4x3)
        let (a, b) = (try results(kept, x, set, prefers: tile), try results(widened, x, set, prefers: tile))
        let scale = b.map(abs).max() ?? 0
        #expect(scale.isFinite && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
    }

    /// Weights that something else reads too are widened for all.
    @Test func onlyLayersReadHalves() throws {
        var network = try network()
        // Depthwise kernels are not worth it.
        #expect(network.halfWeights().count == 6 && network.halfWeights()["depthwise.weight"] == nil)
        network.outputs.append(.init(name: "first.weight", type: TensorType(.float32, [])))
        #expect(network.halfWeights()["first.weight"] == nil && network.halfWeights().count == 5)
        network.nodes.append(
            Node(name: "r", operation: .activation(.relu), inputs: ["point.weight"], outputs: ["other"]))
        network.outputs.append(.init(name: "other", type: TensorType(.float32, [])))
        #expect(network.halfWeights()["point.weight"] == nil)
        let kept = try network.simplified(keepingHalfWeights: true)
        #expect(kept.constants.values.filter { $0.elementType == .float16 }.count == 4)
        let x = try Tensor(zeros: [1, 3, 11, 9], elementType: .float32)
        let (a, b) = (
            try Executor(network: kept).run(["x": x]), try Executor(network: network.simplified()).run(["x": x])
        )
        #expect(a["first.weight"] == b["first.weight"] && a["other"] == b["other"])
    }
}
