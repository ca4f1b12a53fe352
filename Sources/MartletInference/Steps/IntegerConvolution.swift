import MartletKernelsBaseline
import MartletTensors

/// A convolution of 8-bit integers with exact int32 sums, by its definition: any window, groups and zero points.
struct IntegerConvolution: Step {
    let x, weight: IntegerOperand
    /// int32, one an output.
    let bias: TensorView?
    let result: IntegerResult
    let outputs: Int
    let groups: Int
    let window: SlidingWindow

    var algorithm: String { "by definition" }

    var sharedBytes: Int { x.scratchBytes + weight.scratchBytes }
    var scratchBytes: Int { window.outputCount * MemoryLayout<Int32>.stride }

    func run(_ context: StepContext) {
        let inputs = context.shared.assumingMemoryBound(to: Int16.self)
        let weights = inputs + x.view.shape.elementCount
        x.widen(into: inputs)
        weight.widen(into: weights)
        let (images, channels) = (x.view.shape[0], x.view.shape[1])
        let (channelsInGroup, outputsInGroup) = (channels / groups, outputs / groups)
        let terms = channelsInGroup * window.tapCount
        context.pool.forEach(images * outputs) { piece, worker in
            let (image, output) = piece.quotientAndRemainder(dividingBy: outputs)
            let sums = context.integers(worker: worker)
            sums.update(repeating: bias?.elements(of: Int32.self)[output] ?? 0, count: window.outputCount)
            let first = image * channels + output / outputsInGroup * channelsInGroup
            for channel in 0..<channelsInGroup {
                add(
                    inputs + (first + channel) * window.inputCount,
                    weights: weights + output * terms + channel * window.tapCount, to: sums)
            }
            result.store(
                sums, count: window.outputCount, at: piece * window.outputCount, channel: output, channelStep: 0)
        }
    }

    /// Adds one channel's products.
    private func add(
        _ plane: UnsafePointer<Int16>, weights: UnsafePointer<Int16>, to sums: UnsafeMutablePointer<Int32>
    ) {
        let (depth, height, width) = (window.depth, window.height, window.width)
        var tap = 0
        for z in 0..<depth.kernel {
            let planes = IntegerConvolution.inside(depth, tap: z)
            for i in 0..<height.kernel {
                let rows = IntegerConvolution.inside(height, tap: i)
                for j in 0..<width.kernel {
                    let columns = IntegerConvolution.inside(width, tap: j)
                    let factor = Int32(weights[tap])
                    tap += 1
                    if factor == 0 { continue }
                    for d in planes.windows {
                        for h in rows.windows {
                            let row =
                                plane
                                + ((d * depth.stride + planes.offset) * height.input + h * height.stride + rows.offset)
                                * width.input + columns.offset
                            let target = sums + (d * height.output + h) * width.output
                            for w in columns.windows {
                                target[w] &+= factor &* Int32(row[w &* width.stride])
                            }
                        }
                    }
                }
            }
        }
    }

    /// The windows whose tap lies inside the input, and where that tap of window 0 lies.
    private static func inside(_ axis: WindowAxis, tap: Int) -> (windows: Range<Int>, offset: Int) {
        let offset = tap * axis.dilation - axis.before
        let first = min(axis.output, offset >= 0 ? 0 : (axis.stride - 1 - offset) / axis.stride)
        let end = offset >= axis.input ? 0 : (axis.input - offset + axis.stride - 1) / axis.stride
        return (first..<max(first, min(end, axis.output)), offset)
    }
}
