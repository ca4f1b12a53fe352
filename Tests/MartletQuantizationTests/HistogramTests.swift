import Foundation
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct HistogramTests {
    private func histogram(_ values: [Float]) -> Histogram {
        var result = Histogram()
        values.withUnsafeBufferPointer { result.add($0) }
        return result
    }

    private func isSame(_ a: Histogram, _ b: Histogram) -> Bool {
        a.counts == b.counts && a.width == b.width && a.minimum == b.minimum && a.maximum == b.maximum
            && a.count == b.count
    }

    @Test func orderAndPartsMakeNoDifference() {
        var generator = SeededGenerator(seed: 1)
        for scale in [1e-6, 1, 3e7] as [Float] {
            let values = generator.floats(1000).map { $0 * $0 * $0 * scale } + [0, -0.5 * scale]
            let whole = histogram(values)
            #expect(whole.count == values.count)
            #expect(isSame(whole, histogram(values.shuffled(using: &generator))))
            var (parts, other) = (Histogram(), Histogram())
            for start in stride(from: 0, to: values.count, by: 100) {
                parts.merge(histogram(Array(values[start..<min(values.count, start + 100)])))
                Array(values[start..<min(values.count, start + 100)]).withUnsafeBufferPointer { other.add($0) }
            }
            #expect(isSame(whole, parts))
            #expect(isSame(whole, other))
        }
    }

    @Test func everyNumberIsInItsBin() {
        let values: [Float] = [-2.5, -1, -0.001, 0, 0.001, 1, 2.5]
        let counted = histogram(values)
        for value in values {
            let bin = counted.counts.indices.filter { abs(counted.center($0) - Double(value)) <= counted.width / 2 }
            #expect(bin.contains { counted.counts[$0] > 0 }, "\(value)")
        }
        #expect(counted.counts.reduce(0, +) == values.count)
    }

    @Test func powersOfTwoAtTheEnds() {
        for exponent in [-70, -40, 0, 40] {
            let value = Float(sign: .plus, exponent: exponent, significand: 1)
            let counted = histogram([value, -value])
            #expect(counted.counts.reduce(0, +) == 2 && counted.maximum == value && counted.minimum == -value)
        }
    }

    @Test func whatIsNotFiniteIsNotCounted() {
        let counted = histogram([.nan, .infinity, 1, -.infinity])
        #expect(counted.count == 1 && counted.maximum == 1 && counted.minimum == 1)
        #expect(histogram([.nan]).count == 0)
    }
}
