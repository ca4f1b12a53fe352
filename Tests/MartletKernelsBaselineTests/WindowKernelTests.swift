import MartletKernelsBaseline
import MartletTestSupport
import Testing

@Suite struct WindowKernelTests {
    /// Random windows of one, two and three axes.
    private func forEachWindow(
        seed: UInt64, ceils: Bool = false, _ body: (WindowOracle, inout SeededGenerator) throws -> Void
    ) rethrows {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<60 {
            let axes = [2, 1, 2, 3][round % 4]
            let oracle = WindowOracle.random(axes: axes, ceils: ceils, using: &generator)
            if oracle.outputCount * oracle.tapCount < 20_000 { try body(oracle, &generator) }
        }
    }

    @Test func im2colUnfoldsEveryTile() {
        forEachWindow(seed: 1) { oracle, generator in
            let channels = generator.integer(1...3)
            let image = generator.floats(channels * oracle.inputCount)
            let taps = oracle.taps()
            let tile = generator.integer(1...oracle.outputCount)
            var first = 0
            while first < oracle.outputCount {
                let count = min(tile, oracle.outputCount - first)
                let columns = guarded(channels * oracle.tapCount * count) {
                    im2col(
                        image, channels: channels, window: oracle.window, firstPixel: first, pixelCount: count,
                        into: $0,
                        rowStride: count)
                }
                var expected: [Float] = []
                for channel in 0..<channels {
                    for tap in 0..<oracle.tapCount {
                        for pixel in first..<(first + count) {
                            let offset = taps[pixel][tap]
                            expected.append(offset < 0 ? 0 : image[channel * oracle.inputCount + offset])
                        }
                    }
                }
                #expect(columns == expected, "\(oracle)")
                first += count
            }
        }
    }

    @Test(arguments: [false, true]) func maximum(ceils: Bool) {
        forEachWindow(seed: 2, ceils: ceils) { oracle, generator in
            let x = generator.floats(oracle.inputCount)
            let result = guarded(oracle.outputCount) { maxPool(x, window: oracle.window, into: $0) }
            #expect(relativeDifference(result, oracle.maxPool(x, planes: 1)) == 0, "\(oracle)")
        }
    }

    @Test(arguments: [false, true], [false, true]) func average(ceils: Bool, countsPadding: Bool) {
        forEachWindow(seed: 3, ceils: ceils) { oracle, generator in
            let x = generator.floats(oracle.inputCount)
            let result = guarded(oracle.outputCount) {
                averagePool(x, window: oracle.window, countsPadding: countsPadding, into: $0)
            }
            let expected = oracle.averagePool(x, planes: 1, countsPadding: countsPadding)
            #expect(relativeDifference(result, expected) < 1e-6, "\(oracle)")
        }
    }

    @Test func depthwise() {
        forEachWindow(seed: 4) { oracle, generator in
            let x = generator.floats(oracle.inputCount)
            let weight = generator.floats(oracle.tapCount)
            let result = guarded(oracle.outputCount) {
                depthwiseConvolution(x, weight: weight, window: oracle.window, into: $0)
            }
            let expected = oracle.convolution(x, images: 1, channels: 1, weight: weight, outputs: 1)
            #expect(relativeDifference(result, expected) < 1e-5, "\(oracle)")
        }
    }

    @Test func maximumPassesOverNaN() {
        let x: [Float] = [1, .nan, 2, 5]
        let window = SlidingWindow(width: WindowAxis(input: 4, output: 3, kernel: 2))
        #expect(guarded(3) { maxPool(x, window: window, into: $0) } == [1, 2, 5])
    }
}
