import MartletTestSupport
import Testing

@testable import MartletInference

@Suite struct HalvesTests {
    static let special: [Float] = [
        0, -0.0, 1, -1, 65_504, -65_504, 65_519, 65_520, 1e9, .infinity, 0x1p-24, 0x1p-25, 0x1.8p-25, 0x1p-14,
        0x1.ffcp-15,
        // Halves of a step: to the even neighbour.
        1 + 0x1p-11, 1 + 0x1.8p-10,
    ]

    @Test(arguments: KernelSet.available) func areRoundedToTheNearest(kernels: KernelSet) {
        var generator = SeededGenerator(seed: 3)
        for count in [0, 1, 7, 8, 15, 16, 17, 33, 70] {
            let floats = (0..<count).map { index in
                index < Self.special.count ? Self.special[index] : generator.floats(1)[0]
            }
            var halves = [Float16](repeating: 777, count: count + 1)
            halves.withUnsafeMutableBufferPointer { target in
                if let base = target.baseAddress { kernels.narrowToHalves(floats, count: count, into: base) }
            }
            #expect(halves.dropLast().map(\.bitPattern) == floats.map { Float16($0).bitPattern })
            #expect(halves.last == 777)
        }
    }

    /// A convolution with them is to the bit that with the floats they stand for.
    @Test(arguments: KernelSet.available) func areMultipliedAsFloats(kernels: KernelSet) {
        var generator = SeededGenerator(seed: 4)
        let (c, rows, columns) = (kernels.lanes, 3, 11)
        for (vectors, lanes, lastLanes) in [(2, c, 0), (1, c, 1), (2, 3, 0)] {
            let offsets = [0, c, 2 * c, 40 * c, 41 * c]
            let wholeCount = lastLanes == 0 ? offsets.count : 3
            let input = generator.floats(200 * c)
            let residual = generator.floats(2 * rows * columns * c)
            let bias = generator.floats(vectors * c)
            let count = offsets.count * lanes * vectors * c
            // What is fetched ahead lies behind them.
            let halves = generator.floats(3 * count).map { Float16($0) }
            func result(_ convolve: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
                guarded(vectors * rows * columns * c, convolve)
            }
            let expected = result { output in
                kernels.convolveRows(
                    input: input, inputRowStep: 40 * c, inputColumnStep: c, offsets: offsets,
                    offsetCount: offsets.count, lanes: lanes, wholeCount: wholeCount, lastLanes: lastLanes,
                    weights: halves.map { Float($0) }, vectors: vectors, bias: bias, residual: residual,
                    residualRowStep: columns * c, residualBlockStep: rows * columns * c, output: output,
                    outputRowStep: columns * c, outputBlockStep: rows * columns * c, rows: rows, columns: columns,
                    minimum: -0.5, maximum: 0.7)
            }
            var scratch = [Float](repeating: 0, count: count)
            let found = result { output in
                scratch.withUnsafeMutableBufferPointer { widened in
                    guard let widened = widened.baseAddress else { return }
                    kernels.convolveHalfRows(
                        input: input, inputRowStep: 40 * c, inputColumnStep: c, offsets: offsets,
                        offsetCount: offsets.count, lanes: lanes, wholeCount: wholeCount, lastLanes: lastLanes,
                        weights: halves, widened: widened, vectors: vectors, bias: bias, residual: residual,
                        residualRowStep: columns * c,
                        residualBlockStep: rows * columns * c, output: output, outputRowStep: columns * c,
                        outputBlockStep: rows * columns * c, rows: rows, columns: columns, minimum: -0.5, maximum: 0.7)
                }
            }
            #expect(found == expected && found.allSatisfy { !$0.isNaN })
        }
    }

    @Test(arguments: KernelSet.available) func areWidenedExactly(kernels: KernelSet) {
        // Every number of half precision but those that are none.
        let halves = (0...UInt16.max).map { Float16(bitPattern: $0) }.filter { !$0.isNaN }
        for count in [0, 1, 7, 16, 33, halves.count] {
            let floats = guarded(count) { kernels.widenHalves(halves, count: count, into: $0) }
            #expect(floats.map(\.bitPattern) == halves.prefix(count).map { Float($0).bitPattern })
        }
    }
}
