import Foundation
import MartletKernelsBaseline
import MartletTestSupport
import Testing

@Suite struct ElementwiseKernelTests {
    /// Values around every corner of the functions, and enough of them for every vector width and tail.
    private var values: [Float] {
        var generator = SeededGenerator(seed: 7)
        return generator.floats(37).map { $0 * 8 } + [0, -0.0, 3, -3, 1e30, -1e30, .infinity, -.infinity, .nan]
    }

    private func check(
        _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void, _ function: (Double) -> Double
    ) {
        let x = values
        let result = guarded(x.count) { kernel(x, $0, x.count) }
        for (input, (found, expected)) in zip(x, zip(result, x.map { function(Double($0)) })) {
            // One by one: a relative measure over all would hide small values behind 1e30.
            #expect(relativeDifference([found], [Double(Float(expected))]) < 1e-6, "at \(input): \(found), \(expected)")
        }
        var inPlace = x
        inPlace.withUnsafeMutableBufferPointer { kernel(UnsafePointer($0.baseAddress!), $0.baseAddress!, x.count) }
        #expect(inPlace.map(\.bitPattern) == result.map(\.bitPattern))
    }

    private func clamp(_ value: Double, _ low: Double, _ high: Double) -> Double {
        value.isNaN ? value : min(max(value, low), high)
    }

    @Test func activations() {
        check {
            clip($0, into: $1, count: $2, minimum: 0, maximum: 6)
        } _: {
            clamp($0, 0, 6)
        }
        check {
            leakyRelu($0, into: $1, count: $2, slope: 0.25)
        } _: {
            $0 < 0 ? 0.25 * $0 : $0
        }
        check {
            sigmoid($0, into: $1, count: $2)
        } _: {
            1 / (1 + exp(-$0))
        }
        check {
            hardSigmoid($0, into: $1, count: $2, alpha: 0.25, beta: 0.5)
        } _: {
            clamp(0.25 * $0 + 0.5, 0, 1)
        }
        check {
            hardSwish($0, into: $1, count: $2)
        } _: {
            $0 * clamp($0 / 6 + 0.5, 0, 1)
        }
        check {
            hyperbolicTangent($0, into: $1, count: $2)
        } _: {
            tanh($0)
        }
        check {
            scaleAndShift($0, into: $1, count: $2, scale: 0.5, shift: -1)
        } _: {
            0.5 * $0 - 1
        }
    }

    @Test func takeWherePositiveLeavesTheRest() {
        let result = guarded(4) {
            for i in 0..<4 { $0[i] = 7 }
            takeWherePositive([-2, 2, .nan, 0], into: $0, count: 4)
        }
        #expect(result[0] == 7 && result[1] == 2 && result[2].isNaN && result[3] == 0)
    }

    @Test func arithmeticWithEveryPairOfSteps() {
        var generator = SeededGenerator(seed: 8)
        typealias Kernel = (
            UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>, Int
        ) -> Void
        let kernels: [(Kernel, (Float, Float) -> Float)] = [
            ({ add($0, step: $1, $2, step: $3, into: $4, count: $5) }, { $0 + $1 }),
            ({ subtract($0, step: $1, $2, step: $3, into: $4, count: $5) }, { $0 - $1 }),
            ({ multiply($0, step: $1, $2, step: $3, into: $4, count: $5) }, { $0 * $1 }),
            ({ divide($0, step: $1, $2, step: $3, into: $4, count: $5) }, { $0 / $1 }),
        ]
        for (kernel, function) in kernels {
            for (aStep, bStep) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                for count in [0, 1, 3, 8, 19] {
                    let (a, b) = (generator.floats(max(count, 1)), generator.floats(max(count, 1)))
                    let result = guarded(count) { kernel(a, aStep, b, bStep, $0, count) }
                    #expect(result == (0..<count).map { function(a[$0 * aStep], b[$0 * bStep]) })
                }
            }
        }
    }

    @Test func finishAddsAndClamps() {
        var generator = SeededGenerator(seed: 9)
        for count in [1, 4, 21] {
            let (row, residual) = (generator.floats(count), generator.floats(count))
            for hasResidual in [false, true] {
                let result = guarded(count) { target in
                    target.update(from: row, count: count)
                    residual.withUnsafeBufferPointer {
                        finish(
                            target, count: count, bias: 0.25, residual: hasResidual ? $0.baseAddress : nil, minimum: 0,
                            maximum: 0.5)
                    }
                }
                let expected = (0..<count).map {
                    min(max(row[$0] + 0.25 + (hasResidual ? residual[$0] : 0), 0), 0.5)
                }
                #expect(result == expected)
            }
        }
    }

    @Test func means() {
        var generator = SeededGenerator(seed: 10)
        for count in [1, 3, 4, 49, 50] {
            let x = generator.floats(count)
            let expected = x.map { Double($0) }.reduce(0, +) / Double(count)
            #expect(abs(Double(mean(x, count: count)) - expected) < 1e-7)
            #expect(maximum(x, count: count) == x.max())
        }
    }
}
