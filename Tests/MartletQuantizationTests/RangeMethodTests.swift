import Foundation
import MartletNetworks
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct RangeMethodTests {
    private func histogram(_ values: [Float]) -> Histogram {
        var result = Histogram()
        values.withUnsafeBufferPointer { result.add($0) }
        return result
    }

    private func squaredError(_ values: [Float], _ parameters: AffineParameters) -> Double {
        let quantizer = Quantizer<UInt8>(scale: parameters.scale, zeroPoint: Int64(parameters.zeroPoint))
        return values.reduce(0) { sum, value in
            let back = Double(Int(quantizer.quantized(value)) - Int(parameters.zeroPoint)) * Double(parameters.scale)
            return sum + (Double(value) - back) * (Double(value) - back)
        }
    }

    @Test func parametersHoldZeroAndBothEnds() {
        let signed = AffineParameters(minimum: -1, maximum: 3)
        #expect(signed.zeroPoint == 64 && abs(signed.scale - 4 / 255) < 1e-7)
        #expect(AffineParameters(minimum: 0.5, maximum: 2).zeroPoint == 0)
        #expect(AffineParameters(minimum: -2, maximum: -1).zeroPoint == 255)
        #expect(AffineParameters(minimum: 0, maximum: 0) == AffineParameters(minimum: 0, maximum: 0x1p-146))
    }

    @Test func requantizationIsWhatTheOperatorsDo() {
        var generator = SeededGenerator(seed: 1)
        let parameters = AffineParameters(minimum: -0.7, maximum: 1.1)
        let values = generator.floats(500).map { $0 * 2 } + [0, .infinity, -.infinity]
        let quantizer = Quantizer<UInt8>(scale: parameters.scale, zeroPoint: Int64(parameters.zeroPoint))
        var found = [Float](repeating: .nan, count: values.count)
        parameters.requantize(values, into: &found, count: values.count)
        for (value, found) in zip(values, found) {
            let expected = Float(Int(quantizer.quantized(value)) - Int(parameters.zeroPoint)) * parameters.scale
            #expect(found == expected)
            #expect(abs(parameters.requantized(Double(value)) - Double(expected)) < 1e-6 || !value.isFinite)
        }
    }

    /// Many small numbers and a few far away: each method against the definition on the numbers themselves.
    @Test func outliersAreCutOff() {
        var generator = SeededGenerator(seed: 2)
        let small = generator.floats(40_000).map { max(0, $0) }
        let values = small + [Float](repeating: 40, count: 3)
        let counted = histogram(values)
        let ends = RangeMethod.allCases.map { method in
            let parameters = method.parameters(for: counted)
            #expect(parameters.zeroPoint == 0)
            return 255 * Double(parameters.scale)
        }
        #expect(abs(ends[0] - 40) < 1e-4)
        // Less than one in ten thousand lies at 40.
        #expect(ends[1] < 1.1 && ends[2] < 1.1 && abs(ends[3] - 40) < 1e-4)
        let best =
            stride(from: Float(0.2), through: 1, by: 0.02).map { factor in
                squaredError(values, AffineParameters(minimum: 0, maximum: 40 * factor))
            }.min() ?? 0
        let found = squaredError(values, RangeMethod.meanSquare.parameters(for: counted))
        #expect(found <= best * 1.02)
        #expect(ends[5] < 40)
    }

    @Test func evenNumbersAreKeptWhole() {
        let values = (0...10_000).map { Float($0) / 10_000 - 0.25 }
        for method in RangeMethod.allCases {
            let parameters = method.parameters(for: histogram(values))
            #expect(Double(parameters.scale) * 255 > 0.97, "\(method)")
            #expect(abs(Double(parameters.zeroPoint) - 63.75) <= 1.5, "\(method)")
        }
    }
}
