import MartletTestSupport
import Testing

@testable import MartletInference

/// Convolutions of bytes against the definition in whole numbers, for every instruction set of this machine.
@Suite struct QuantizedConvolutionTests {
    @Test(arguments: QuantizedKernelSet.available) func everyStrip(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 71)
        for columns in 1...19 {
            for rows in 1...3 {
                for vectors in 1...2 {
                    QuantizedConvolutionCase(rows: rows, columns: columns, vectors: vectors, quads: 1, kernel: [1, 2])
                        .check(kernels, &generator)
                }
                QuantizedConvolutionCase(rows: rows, columns: columns, quads: nil, kernel: [2, 1])
                    .check(kernels, &generator)
            }
        }
    }

    @Test(arguments: QuantizedKernelSet.available) func randomShapes(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 72)
        for _ in 0..<40 {
            var test = QuantizedConvolutionCase()
            test.rows = .random(in: 1...5, using: &generator)
            test.columns = .random(in: 1...17, using: &generator)
            test.vectors = .random(in: 1...2, using: &generator)
            test.blocks = .random(in: 1...2, using: &generator)
            test.kernel = [.random(in: 1...3, using: &generator), .random(in: 1...3, using: &generator)]
            test.stride = [.random(in: 1...2, using: &generator), .random(in: 1...2, using: &generator)]
            test.dilation = [.random(in: 1...2, using: &generator), .random(in: 1...2, using: &generator)]
            test.residual = ResidualChoice.allCases.randomElement(using: &generator) ?? .none
            test.gap = .random(in: 0...2, using: &generator)
            test.rounding.zeroPoint = .random(in: 0...255, using: &generator)
            if Bool.random(using: &generator) { test.rounding.bounds = 17...200 }
            if Bool.random(using: &generator) {
                // A factor that makes no halves of integers.
                test.rounding.first = (0.7123, -40, 55)
            }
            if Bool.random(using: &generator) {
                test.quads = nil
                test.blocks = 1
                test.vectors = 1
            } else {
                test.quads = [1, 2, 4].randomElement(using: &generator)
            }
            test.check(kernels, &generator)
        }
    }

    /// The largest products of all signs: nothing saturates on the way.
    @Test(arguments: QuantizedKernelSet.available) func extremes(_ kernels: QuantizedKernelSet) {
        let c = kernels.lanes
        for weight in [Int8.min, .max] {
            let input = [UInt8](repeating: 255, count: 16)
            let bytes: [Int8] =
                kernels.weightBytes == 1
                ? [Int8](repeating: weight, count: 16 * c)
                : (0..<16 * c).flatMap { _ in [weight, weight < 0 ? -1 : 0] }
            var output = [UInt8](repeating: 0, count: 16)
            // The exact sum, 16 x 255 x weight, is brought to 128 + weight / 2.
            var rounding = Rounding()
            rounding.zeroPoint = 128
            kernels.convolveQuantizedRows(
                input: input, inputRowStep: 0, inputColumnStep: 0, offsets: [0], offsetCount: 1, quads: 4,
                weights: bytes, vectors: 1, bias: [Int32](repeating: 0, count: c),
                factors: [Float](repeating: 1 / (16 * 255 * 2), count: c), settings: rounding.settings, residual: nil,
                residualRowStep: 0, residualVectorStep: 0, output: &output, outputRowStep: 0, outputVectorStep: 0,
                rows: 1, columns: 1)
            // 63.5 rounds to the even 64.
            #expect(output[..<c].allSatisfy { $0 == (weight < 0 ? 64 : 192) })
        }
    }
}
