import MartletTestSupport
import Testing

@testable import MartletInference

/// Convolutions of bytes against the definition in whole numbers, for every instruction set of this machine.
@Suite struct QuantizedConvolutionTests {
    @Test(arguments: QuantizedKernelSet.available) func everyStrip(_ kernels: QuantizedKernelSet) throws {
        var generator = SeededGenerator(seed: 71)
        for columns in 1...19 {
            for rows in 1...3 {
                for vectors in 1...2 {
                    try QuantizedConvolutionCase(
                        rows: rows, columns: columns, vectors: vectors, quads: 1, kernel: [1, 2]
                    )
                    .check(kernels, &generator)
                }
                try QuantizedConvolutionCase(rows: rows, columns: columns, quads: nil, kernel: [2, 1])
                    .check(kernels, &generator)
            }
        }
    }

    @Test(arguments: QuantizedKernelSet.available) func randomShapes(_ kernels: QuantizedKernelSet) throws {
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
                if let quads = test.quads { test.lastQuads = .random(in: 1...quads, using: &generator) }
            }
            try test.check(kernels, &generator)
        }
    }

    /// The largest products of all signs: nothing saturates on the way.
    @Test(arguments: QuantizedKernelSet.available) func extremes(_ kernels: QuantizedKernelSet) throws {
        let c = kernels.lanes
        let fours = ChannelsRead(16, blockLanes: 16, unit: 4)
        for pair in [[Int8.min, .min], [.max, .max], [.min, .max], [.max, 1], [1, .max], [2, .max], [-1, .min]] {
            let input = [UInt8](repeating: 255, count: 16)
            // `[quads][4][vectors][lanes]`: neighbouring channels have the two weights of the pair.
            let weights = (0..<16).flatMap { channel in [Int8](repeating: pair[channel % 2], count: c) }
            let kept = KeptConstants()
            defer { withExtendedLifetime(kept) {} }
            let packed = try PackedQuads(
                try QuadWeights(weights, vectors: 1, quads: 4, for: kernels), offsets: [0], fours: fours, in: kept)
            var output = [UInt8](repeating: 0, count: 16)
            // The exact sum, 8 x 255 x (a + b), is brought to 128 + (a + b) / 4.
            var rounding = Rounding()
            rounding.zeroPoint = 128
            kernels.convolveQuantizedRows(
                input: input, inputRowStep: 0, inputColumnStep: 0, offsets: [0], offsetCount: 1, channels: fours,
                weights: packed.weights(ofPair: 0), vectors: 1, excess: packed.excess(ofPair: 0),
                bias: [Int32](repeating: 0, count: c), factors: [Float](repeating: 1 / (8 * 255 * 4), count: c),
                settings: rounding.settings, residual: nil, residualRowStep: 0, residualVectorStep: 0, output: &output,
                outputRowStep: 0, outputVectorStep: 0, rows: 1, columns: 1)
            let exact = 128 + Double(Int(pair[0]) + Int(pair[1])) / 4
            #expect(output[..<c].allSatisfy { Rounding.agrees($0, exact) }, "\(pair)")
        }
    }

    /// What is taken from weights is where the kernels look for it: both together are the weights, and neither has neighbours
    /// that are too large together.
    @Test func limitedWeights() throws {
        var generator = SeededGenerator(seed: 73)
        let (vectors, lanes, quads, size) = (3, 8, 5, 32)
        let whole = generator.bytes(vectors * quads * size).map { Int8(bitPattern: $0) }
        let order = try QuadWeights(limiting: whole, vectors: vectors, lanes: lanes, quads: quads, to: 128)
        let limited = order.weights.withElements(of: Int8.self) { Array($0) }
        #expect(order.excess.count == vectors && order.excess.contains { !$0.isEmpty })
        for start in stride(from: 0, to: limited.count, by: 2) {
            #expect(abs(Int(limited[start]) + Int(limited[start + 1])) <= 128)
        }
        for pair in 0..<2 {
            let width = pair == 0 ? 2 : 1
            let start = order.starts[pair]
            var sums = limited[start..<start + width * quads * size].map(Int.init)
            var place = start + width * quads * size
            for vector in 0..<width {
                for quad in order.excess[2 * pair + vector] {
                    for byte in 0..<size { sums[(quad * width + vector) * size + byte] += Int(limited[place + byte]) }
                    place += size
                }
            }
            #expect(place == (pair == 0 ? order.starts[1] : limited.count))
            let first = 2 * pair * quads * size
            #expect(sums == whole[first..<first + width * quads * size].map(Int.init))
        }
    }
}
