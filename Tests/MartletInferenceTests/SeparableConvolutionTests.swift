import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

/// Depthwise convolutions by kernels of rank one.
@Suite struct SeparableConvolutionTests {
    private let window = Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))

    /// Products of a column and a row, rounded once, and a channel that is zero.
    private func kernels(_ channels: Int, _ generator: inout SeededGenerator) -> [Float] {
        (0..<channels).flatMap { channel -> [Float] in
            let (column, row) = (generator.floats(3), generator.floats(3))
            return (0..<9).map { channel == 1 ? 0 : column[$0 / 3] * row[$0 % 3] }
        }
    }

    @Test func factorsMultiplyToTheKernel() throws {
        var generator = SeededGenerator(seed: 5)
        let kernels = kernels(20, &generator)
        let found = try #require(
            SeparableKernels(try Tensor(kernels, shape: try Shape([20, 1, 3, 3])), window))
        for channel in 0..<20 {
            let weights = Array(found.weights(of: channel))
            for tap in 0..<9 {
                let product = weights[tap / 3] * weights[3 + tap % 3]
                #expect(abs(product - kernels[9 * channel + tap]) < 1e-6, "\(channel) \(tap)")
            }
        }
    }

    /// Four units in the last place of the largest element are more than rounding; other windows are others' work.
    @Test func otherKernelsAreNone() throws {
        var generator = SeededGenerator(seed: 6)
        var kernels = kernels(5, &generator)
        let shape = try Shape([5, 1, 3, 3])
        var strided = window
        strided.strides = [2, 1]
        #expect(SeparableKernels(try Tensor(kernels, shape: shape), strided) == nil)
        let largest = (0..<9).map { kernels[18 + $0].magnitude }.max() ?? 0
        kernels[18 + 4] += largest * 0x1p-20
        #expect(SeparableKernels(try Tensor(kernels, shape: shape), window) == nil)
    }

    @Test(arguments: [false, true]) func runAsThroughBLAS(isOfRankOne: Bool) throws {
        var generator = SeededGenerator(seed: 7)
        let channels = 37
        var kernel = kernels(channels, &generator)
        if !isOfRankOne { kernel[9 * 30] += 0.5 }
        var builder = NetworkBuilder(seed: 8)
        let x = builder.relu(
            "a.relu", try builder.convolution("a", "input", outputs: channels, inputs: 3, kernel: [1, 1]))
        builder.constants["depthwise.kernel"] = try Tensor(kernel, shape: try Shape([channels, 1, 3, 3]))
        let y = builder.node(
            "depthwise", .convolution(Convolution(window: window, groups: channels)), [x, "depthwise.kernel"])
        let sum = builder.relu("sum.relu", builder.node("sum", .arithmetic(.add), [y, x]))
        let network = builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(10), .fixed(13)]), output: sum,
            type: TensorType(.float32, []))
        let image = try Tensor(generator.floats(2 * 3 * 130), shape: try Shape([2, 3, 10, 13]))
        var options = Executor.Options()
        options.usesBlocks = false
        let expected = try #require(
            try Executor(network: network, pool: ThreadPool(threadCount: 1), options: options).run(["input": image])[
                sum])
        options.usesBlocks = true
        for set in InstructionSet.allCases where set.isSupported {
            options.instructionSet = set
            for threads in [1, 3] {
                let executor = try Executor(
                    network: network, pool: ThreadPool(threadCount: threads), options: options)
                let found = try #require(try executor.run(["input": image])[sum])
                let difference = relativeDifference(
                    try found.elements(Float.self), try expected.elements(Float.self).map(Double.init))
                #expect(difference < 1e-5, "\(set) \(threads)")
                let algorithms = try executor.profile(["input": image], seconds: 0).nodes.map(\.algorithm)
                #expect(algorithms.contains("separable") == isOfRankOne)
            }
        }
    }
}
