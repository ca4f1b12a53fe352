import Foundation
import MartletKernelsBaseline
import MartletTestSupport
import Testing

@Suite struct RowKernelTests {
    @Test(arguments: [false, true]) func softmaxSumsToOne(isLogarithmic: Bool) {
        var generator = SeededGenerator(seed: 12)
        for (count, stride) in [(1, 1), (10, 1), (10, 3), (1000, 1)] {
            let x = generator.floats(count * stride).map { $0 * 100 }
            let result = guarded(count * stride) {
                for i in 0..<(count * stride) { $0[i] = 0 }
                softmax(x, into: $0, count: count, stride: stride, isLogarithmic: isLogarithmic)
            }
            let picked = (0..<count).map { Double(x[$0 * stride]) }
            let largest = picked.max() ?? 0
            let sum = picked.reduce(0) { $0 + exp($1 - largest) }
            let expected = picked.map { isLogarithmic ? $0 - largest - log(sum) : exp($0 - largest) / sum }
            #expect(relativeDifference((0..<count).map { result[$0 * stride] }, expected) < 1e-6)
        }
    }

    @Test(arguments: [Float(0.75), 0.5, 1.3]) func localResponse(beta: Float) {
        var generator = SeededGenerator(seed: 13)
        for (channels, pixels, size) in [(1, 4, 3), (6, 5, 5), (7, 3, 4), (5, 9, 1), (3, 2, 9)] {
            let x = generator.floats(channels * pixels)
            let result = guarded(channels * pixels) {
                localResponseNormalization(
                    x, into: $0, channels: channels, channelStride: pixels, count: pixels, alpha: 0.5, beta: beta,
                    bias: 2, size: size)
            }
            var expected: [Double] = []
            for channel in 0..<channels {
                for pixel in 0..<pixels {
                    let first = max(0, channel - (size - 1) / 2)
                    let last = min(channels - 1, channel + Int((Double(size - 1) / 2).rounded(.up)))
                    let sum = (first...last).reduce(0.0) { $0 + pow(Double(x[$1 * pixels + pixel]), 2) }
                    expected.append(
                        Double(x[channel * pixels + pixel]) / pow(2 + 0.5 / Double(size) * sum, Double(beta)))
                }
            }
            #expect(relativeDifference(result, expected) < 1e-6)
        }
    }
}
