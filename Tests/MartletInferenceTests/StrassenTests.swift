import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

/// Convolutions by Strassen's product against the same networks through BLAS.
@Suite struct StrassenTests {
    /// Two blocks of input channels and four of output channels at least, whatever the instruction set; a border on either
    /// side, none, a stride, a sum into the result, a clamp, input channels that do not fill their last block.
    private func network(height: Int, width: Int) throws -> Network {
        var builder = NetworkBuilder(seed: 5)
        let stem = builder.relu(
            "stem.relu", try builder.convolution("stem", "input", outputs: 96, inputs: 3, kernel: [3, 3], padding: 1))
        let one = builder.relu(
            "one.relu", try builder.convolution("one", stem, outputs: 64, inputs: 96, kernel: [1, 1]))
        let same = try builder.convolution("same", one, outputs: 61, inputs: 64, kernel: [3, 3], padding: 1)
        let two = try builder.convolution("two", same, outputs: 128, inputs: 61, kernel: [1, 1])
        let shortcut = try builder.convolution("shortcut", stem, outputs: 128, inputs: 96, kernel: [1, 1])
        let sum = builder.relu("sum.relu", builder.node("sum", .arithmetic(.add), [two, shortcut]))
        let strided = try builder.convolution("strided", sum, outputs: 64, inputs: 128, kernel: [1, 1], stride: 2)
        let last = try builder.convolution("last", strided, outputs: 192, inputs: 64, kernel: [1, 1])
        return builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(height), .fixed(width)]), output: last,
            type: TensorType(.float32, []))
    }

    @Test(arguments: InstructionSet.allCases.filter(\.isSupported), [(4, 5), (12, 28), (36, 6), (7, 7), (1, 9)])
    func isTheSameAsThroughBLAS(set: InstructionSet, size: (Int, Int)) throws {
        let network = try network(height: size.0, width: size.1)
        var generator = SeededGenerator(seed: 6)
        let x = try generator.tensor([2, 3, size.0, size.1])
        let found = Set(try compareWithBLAS(network, on: x, set: set, algorithm: .strassen).map(\.inputs))
        // An odd number of rows is halved between pixels, but not where a stride comes between them.
        #expect(found == (size.0 == 1 ? [61, 64, 96] : [61, 64, 96, 128]))
    }
}
