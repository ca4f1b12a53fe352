import Foundation
import MartletTestSupport
import Testing

@testable import MartletInference

/// Activations of blocks for every instruction set, against the C library in double precision.
@Suite struct BlockedActivationTests {
    private typealias Kernel = (UnsafeMutablePointer<Float>, Int, _ rows: Int, _ columns: Int) -> Void

    /// The largest difference between a kernel in place and `expected`, relative to the larger of 1 and the value, over
    /// many arguments; infinite if NaN does not stay NaN or the border is touched.
    private func difference(
        _ kernels: KernelSet, _ kernel: Kernel, expected: (_ x: Double, _ channel: Int) -> Double
    ) -> Double {
        var generator = SeededGenerator(seed: 61)
        var worst = 0.0
        for scale in [Float(1e-3), 0.5, 1, 4, 20, 300] {
            let (rows, columns) = (generator.integer(2...5), generator.integer(1...40))
            var x = generator.floats(kernels.lanes * rows * columns).map { $0 * scale }
            x[0] = .nan
            x[1] = 0
            var planes = BlockedPlanes(
                x, lanes: kernels.lanes, channels: kernels.lanes, rows: rows, columns: columns)
            let (origin, rowStep) = (planes.origin, planes.rowStep)
            planes.elements.withUnsafeMutableBufferPointer { kernel($0.baseAddress! + origin, rowStep, rows, columns) }
            if !planes.isBorderUntouched { return .infinity }
            for (i, value) in planes.values.enumerated() {
                if x[i].isNaN {
                    if !value.isNaN { return .infinity }
                } else {
                    let exact = expected(Double(x[i]), i / (rows * columns))
                    let error = abs(Double(value) - exact) / max(1, abs(exact))
                    // NaN is no number's neighbour.
                    if !(error <= worst) { worst = error.isNaN ? .infinity : error }
                }
            }
        }
        return worst
    }

    @Test(arguments: KernelSet.available)
    func ofOneNumber(_ kernels: KernelSet) {
        let leaky = difference(
            kernels,
            {
                kernels.leakyReluRows(
                    input: $0, inputRowStep: $1, output: $0, outputRowStep: $1, rows: $2, columns: $3, slope: 0.25)
            }, expected: { x, _ in x < 0 ? x * 0.25 : x })
        #expect(leaky == 0)
        let sigmoid = difference(
            kernels,
            {
                kernels.sigmoidRows(
                    input: $0, inputRowStep: $1, output: $0, outputRowStep: $1, rows: $2, columns: $3)
            }, expected: { x, _ in 1 / (1 + exp(-x)) })
        #expect(sigmoid < 2e-7)
        let hardSigmoid = difference(
            kernels,
            {
                kernels.hardSigmoidRows(
                    input: $0, inputRowStep: $1, output: $0, outputRowStep: $1, rows: $2, columns: $3, alpha: 0.25,
                    beta: 0.375)
            }, expected: { x, _ in min(1, max(0, 0.25 * x + 0.375)) })
        #expect(hardSigmoid < 1e-7)
        let hardSwish = difference(
            kernels,
            {
                kernels.hardSwishRows(
                    input: $0, inputRowStep: $1, output: $0, outputRowStep: $1, rows: $2, columns: $3)
            }, expected: { x, _ in x * min(1, max(0, x / 6 + 0.5)) })
        #expect(hardSwish < 2e-7)
        let tangent = difference(
            kernels,
            {
                kernels.hyperbolicTangentRows(
                    input: $0, inputRowStep: $1, output: $0, outputRowStep: $1, rows: $2, columns: $3)
            }, expected: { x, _ in tanh(x) })
        #expect(tangent < 2e-7)
    }

    @Test(arguments: KernelSet.available)
    func ofANumberAndItsChannel(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 62)
        let (slopes, shifts) = (generator.floats(kernels.lanes), generator.floats(kernels.lanes))
        let parametric = difference(
            kernels,
            {
                kernels.parametricReluRows(
                    input: $0, inputRowStep: $1, output: $0, outputRowStep: $1, rows: $2, columns: $3, slopes: slopes)
            }, expected: { x, channel in x < 0 ? x * Double(slopes[channel]) : x })
        #expect(parametric < 1e-7)
        let scaled = difference(
            kernels,
            {
                kernels.scaleAndShiftRows(
                    input: $0, inputRowStep: $1, output: $0, outputRowStep: $1, rows: $2, columns: $3, scale: slopes,
                    shift: shifts, minimum: -0.5, maximum: 12)
            }, expected: { x, channel in min(12, max(-0.5, x * Double(slopes[channel]) + Double(shifts[channel]))) })
        #expect(scaled < 2e-7)
    }

    /// Near 0, tanh keeps its relative precision; large arguments saturate.
    @Test(arguments: KernelSet.available)
    func ends(_ kernels: KernelSet) {
        var x = [Float](repeating: 0, count: kernels.lanes * 4)
        x.replaceSubrange(0..<8, with: [1e-6, -1e-3, 0.1, -0.29, 0.31, -0.5, 1e-20, 0.9])
        let near = guarded(x.count) { output in
            kernels.hyperbolicTangentRows(
                input: x, inputRowStep: 0, output: output, outputRowStep: 0, rows: 1, columns: 4)
        }
        for (value, argument) in zip(near, x) {
            #expect(abs(Double(value) - tanh(Double(argument))) <= 5e-7 * abs(Double(argument)))
        }
        x.replaceSubrange(0..<8, with: [1e30, -1e30, .infinity, -.infinity, 100, -100, 40, -40])
        let far = guarded(x.count) { output in
            kernels.hyperbolicTangentRows(
                input: x, inputRowStep: 0, output: output, outputRowStep: 0, rows: 1, columns: 4)
        }
        #expect(Array(far[..<8]) == [1, -1, 1, -1, 1, -1, 1, -1])
        let sigmoid = guarded(x.count) { output in
            kernels.sigmoidRows(input: x, inputRowStep: 0, output: output, outputRowStep: 0, rows: 1, columns: 4)
        }
        #expect(zip(sigmoid, [1, 0, 1, 0, 1, 0, 1, 0] as [Float]).allSatisfy { abs($0 - $1) < 1e-16 })
    }
}
