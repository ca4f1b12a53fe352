import MartletTestSupport
import Testing

@testable import MartletInference

/// Where the residual of a convolution comes from.
enum ResidualChoice: CaseIterable {
    case none, separate, inPlace
}

/// A random call of `convolveRows` or `depthwiseRows`: the buffers, and the result in double from the definition.
struct BlockedConvolutionCase {
    var rows = 1
    var columns = 1
    var vectors = 1
    /// Channels read at each offset; `nil` for a depthwise convolution.
    var lanes: Int? = 1
    /// Channels read of the last block; `nil` for as many as of the others.
    var lastLanes: Int?
    var pixelStep: Int
    var blocks = 1
    var kernel = [1, 1]
    var stride = [1, 1]
    var dilation = [1, 1]
    var residual = ResidualChoice.none
    var clamp = clampChoices[0]
    /// Pixels between the end of an output row and the start of the next.
    var gap = 0

    private let c: Int

    init(lanesOfSet c: Int) {
        self.c = c
        pixelStep = c
    }

    /// Runs the kernel and compares: values, what lies between the rows, and what lies around the buffers.
    func check(_ kernels: KernelSet, _ generator: inout SeededGenerator, _ location: SourceLocation = #_sourceLocation)
    {
        let height = (rows - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
        let width = (columns - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1
        let rowStep = width * pixelStep
        var offsets: [Int] = []
        for block in 0..<blocks {
            for y in 0..<kernel[0] {
                for x in 0..<kernel[1] {
                    offsets.append(block * height * rowStep + y * dilation[0] * rowStep + x * dilation[1] * pixelStep)
                }
            }
        }
        let depth = lanes ?? 1
        // The last pixel's lanes past `lanes` are not there, so that reading them would read the guard's mark.
        let input = GuardedBuffer(
            generator.floats(blocks * height * rowStep - (pixelStep - (lanes ?? pixelStep))))
        let taps = kernel[0] * kernel[1]
        let wholeCount = lastLanes == nil ? offsets.count : offsets.count - taps
        /// Channels read before those of an offset.
        func first(_ offset: Int) -> Int {
            offset <= wholeCount ? offset * depth : wholeCount * depth + (offset - wholeCount) * (lastLanes ?? 0)
        }
        let weights = GuardedBuffer(generator.floats(first(offsets.count) * vectors * c))
        let bias = GuardedBuffer(generator.floats(vectors * c))
        let outputRowStep = (columns + gap) * c
        let outputBlockStep = rows * outputRowStep + 2 * c
        let output = GuardedBuffer(generator.floats(vectors * outputBlockStep))
        let separate = residual == .separate
        let residualRowStep = separate ? (columns + 1) * c : outputRowStep
        let residualBlockStep = separate ? rows * residualRowStep : outputBlockStep
        let other = GuardedBuffer(generator.floats(vectors * residualBlockStep))
        let residualStart: UnsafePointer<Float>? =
            switch residual {
            case .none: nil
            case .separate: UnsafePointer(other.start)
            case .inPlace: UnsafePointer(output.start)
            }

        var expected = output.elements.map(Double.init)
        for v in 0..<vectors {
            for y in 0..<rows {
                for x in 0..<columns {
                    let base = input.start + y * stride[0] * rowStep + x * stride[1] * pixelStep
                    for o in 0..<c {
                        var sum = Double(bias.start[v * c + o])
                        if let residualStart {
                            sum += Double(residualStart[v * residualBlockStep + y * residualRowStep + x * c + o])
                        }
                        for (i, offset) in offsets.enumerated() {
                            if lanes == nil {
                                sum += Double(weights.start[i * c + o]) * Double(base[offset + o])
                                continue
                            }
                            for l in 0..<first(i + 1) - first(i) {
                                let weight = weights.start[((first(i) + l) * vectors + v) * c + o]
                                sum += Double(weight) * Double(base[offset + l])
                            }
                        }
                        expected[v * outputBlockStep + y * outputRowStep + x * c + o] =
                            min(max(sum, Double(clamp.minimum)), Double(clamp.maximum))
                    }
                }
            }
        }

        if let lanes {
            kernels.convolveRows(
                input: input.start, inputRowStep: stride[0] * rowStep, inputColumnStep: stride[1] * pixelStep,
                offsets: offsets, offsetCount: offsets.count, lanes: lanes, wholeCount: wholeCount,
                lastLanes: lastLanes ?? 0, weights: weights.start, vectors: vectors,
                bias: bias.start, residual: residualStart, residualRowStep: residualRowStep,
                residualBlockStep: residualBlockStep, output: output.start, outputRowStep: outputRowStep,
                outputBlockStep: outputBlockStep, rows: rows, columns: columns, minimum: clamp.minimum,
                maximum: clamp.maximum)
        } else {
            kernels.depthwiseRows(
                input: input.start, inputRowStep: stride[0] * rowStep, inputColumnStep: stride[1] * pixelStep,
                offsets: offsets, offsetCount: offsets.count, weights: weights.start, bias: bias.start,
                residual: residualStart, residualRowStep: residualRowStep, output: output.start,
                outputRowStep: outputRowStep, rows: rows, columns: columns, minimum: clamp.minimum,
                maximum: clamp.maximum)
        }
        // Floats between the rows are compared too: they keep what they were.
        let difference = relativeDifference(output.elements, expected)
        // Each of the sum's roundings is at most half a unit of a partial sum; a clamp may hide how large those were.
        let tolerance = Double(offsets.count * depth + 2) * 0x1p-24
        #expect(difference < tolerance, "\(self)", sourceLocation: location)
        let intact = [input, weights, bias, output, other].allSatisfy { $0.isIntact }
        #expect(intact, "\(self)", sourceLocation: location)
    }
}
