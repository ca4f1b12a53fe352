import MartletInference
import MartletKernelsBaseline
import MartletParallelism
import MartletTestSupport
import Testing

@testable import MartletTraining

/// The gradient by a kernel through Winograd's transforms against its definition in double precision, on every instruction set
/// of this machine.
@Suite struct WinogradWeightGradientTests {
    struct Case: CustomTestStringConvertible {
        var images, channels, outputs, height, width: Int
        var before = [1, 1]
        var after = [1, 1]
        /// Floats of tiles and of products at once.
        var tileFloats = 2 << 20
        var productFloats = 1 << 20
        var accumulates = false

        var testDescription: String {
            "\(images) images \(channels) x \(height) x \(width) to \(outputs), \(before) \(after), \(tileFloats)"
        }

        var window: SlidingWindow {
            func axis(_ index: Int, _ extent: Int) -> WindowAxis {
                WindowAxis(
                    input: extent, output: extent + before[index] + after[index] - 2, kernel: 3,
                    before: before[index], after: after[index])
            }
            return SlidingWindow(height: axis(0, height), width: axis(1, width))
        }

        var geometry: ConvolutionGeometry {
            ConvolutionGeometry(images: images, channels: channels, outputs: outputs, groups: 1, window: window)
        }

        func expected(_ x: [Float], _ gradient: [Float], _ start: [Float]) -> [Double] {
            let (rows, columns) = (window.height.output, window.width.output)
            var result = accumulates ? start.map { Double($0) } : [Double](repeating: 0, count: start.count)
            for image in 0..<images {
                for output in 0..<outputs {
                    for channel in 0..<channels {
                        for tap in 0..<9 {
                            var sum = 0.0
                            for row in 0..<rows {
                                let y = row + tap / 3 - before[0]
                                if y < 0 || y >= height { continue }
                                for column in 0..<columns {
                                    let place = column + tap % 3 - before[1]
                                    if place < 0 || place >= width { continue }
                                    sum +=
                                        Double(
                                            gradient[((image * outputs + output) * rows + row) * columns + column])
                                        * Double(x[((image * channels + channel) * height + y) * width + place])
                                }
                            }
                            result[(output * channels + channel) * 9 + tap] += sum
                        }
                    }
                }
            }
            return result
        }

        /// What is found on one instruction set; `nil` where the gradient is computed otherwise.
        func found(
            _ x: [Float], _ gradient: [Float], _ start: [Float], _ instructionSet: InstructionSet, threads: Int
        ) -> [Float]? {
            var result = start
            let isComputed = result.withUnsafeMutableBufferPointer { result in
                let target = GradientTarget(base: result.baseAddress!, accumulates: accumulates)
                guard
                    let step = WinogradWeightGradient(
                        geometry, target: target, kernels: WinogradGradientKernels(instructionSet),
                        tileFloats: tileFloats, productFloats: productFloats)
                else { return false }
                // Whatever lies there must not matter.
                let shared = [Float](repeating: .nan, count: step.sharedBytes / 4)
                let scratch = [Float](repeating: .nan, count: threads * step.scratchBytes / 4)
                shared.withUnsafeBytes { shared in
                    scratch.withUnsafeBytes { scratch in
                        let context = TrainingContext(
                            pool: ThreadPool(threadCount: threads),
                            shared: UnsafeMutableRawPointer(mutating: shared.baseAddress!),
                            scratch: UnsafeMutableRawPointer(mutating: scratch.baseAddress!),
                            scratchStride: step.scratchBytes, observer: nil)
                        step.run(x: x, gradient: gradient, context)
                    }
                }
                return true
            }
            return isComputed ? result : nil
        }
    }

    @Test(arguments: [
        Case(images: 1, channels: 16, outputs: 16, height: 8, width: 8),
        Case(images: 3, channels: 21, outputs: 30, height: 7, width: 9, accumulates: true),
        Case(images: 2, channels: 45, outputs: 31, height: 6, width: 11, before: [0, 2], after: [1, 0]),
        Case(images: 2, channels: 24, outputs: 24, height: 13, width: 3, before: [2, 1], after: [2, 1]),
        // Pieces of some images, bands of an image, groups of outputs.
        Case(images: 5, channels: 24, outputs: 40, height: 7, width: 8, tileFloats: 20_000, productFloats: 10_000),
        Case(
            images: 2, channels: 29, outputs: 31, height: 18, width: 6, tileFloats: 1, productFloats: 1,
            accumulates: true),
        Case(images: 2, channels: 20, outputs: 20, height: 23, width: 8, tileFloats: 8_000, productFloats: 4_000),
    ])
    func againstTheDefinition(_ problem: Case) throws {
        var generator = SeededGenerator(seed: 11)
        let geometry = problem.geometry
        let x = generator.floats(geometry.images * geometry.inputCount)
        let gradient = generator.floats(geometry.images * geometry.outputCount)
        let start = generator.floats(geometry.weightCount)
        let expected = problem.expected(x, gradient, start)
        for instructionSet in InstructionSet.allCases where instructionSet.isSupported {
            let found = try #require(problem.found(x, gradient, start, instructionSet, threads: 1))
            let error = relativeDifference(found, expected)
            #expect(error < 2e-6, "\(instructionSet): \(error)")
            #expect(found == problem.found(x, gradient, start, instructionSet, threads: 3))
        }
    }

    /// Few channels and other windows are for the products as they are.
    @Test func whatItIsNotFor() {
        let few = Case(images: 1, channels: 3, outputs: 16, height: 8, width: 8)
        #expect(few.found([], [], [0], .baseline, threads: 1) == nil)
        let nothing = Case(images: 1, channels: 16, outputs: 16, height: 1, width: 8, before: [0, 0], after: [1, 0])
        #expect(nothing.found([], [], [0], .baseline, threads: 1) == nil)
    }
}
