import MartletKernelsBaseline

/// Batch normalisation, `scale (x - mean) / sqrt(variance + epsilon) + bias`, a channel at a time: by the statistics that the
/// network holds, or by those of the batch (Ioffe and Szegedy, 2015), which the network's then follow.
final class NormalizationStep: DifferentiableStep {
    struct Operands {
        var x: Operand
        var y: Operand
        var scale: UnsafePointer<Float>
        var bias: UnsafePointer<Float>
        var mean: UnsafeMutablePointer<Float>
        var variance: UnsafeMutablePointer<Float>
        var epsilon: Float
        var gradient: UnsafeMutablePointer<Float>?
        var target: GradientTarget?
        var scaleTarget: GradientTarget?
        var biasTarget: GradientTarget?
    }

    private let o: Operands
    /// How fast the network's statistics follow those of a batch; `nil` to go by the network's.
    private let momentum: Float?
    /// The mean, and the reciprocal root of the variance, that each channel was normalised by.
    private var centres: [Float]
    private var gains: [Float]

    init(_ operands: Operands, momentum: Float?) {
        o = operands
        self.momentum = momentum
        centres = [Float](repeating: 0, count: operands.x.extents[1])
        gains = centres
    }

    private var images: Int { o.x.extents[0] }
    private var channels: Int { o.x.extents[1] }
    private var pixels: Int { o.x.extents.dropFirst(2).reduce(1, *) }

    func forward(_ context: TrainingContext) {
        let (o, images, channels, pixels, momentum) = (o, images, channels, pixels, momentum)
        let count = Double(images * pixels)
        centres.withUnsafeMutableBufferPointer { centres in
            gains.withUnsafeMutableBufferPointer { gains in
                let memory = (centres: centres.baseAddress, gains: gains.baseAddress)
                guard let centres = memory.centres, let gains = memory.gains else { return }
                context.pool.forEach(channels) { channel in
                    var (mean, variance) = (o.mean[channel], o.variance[channel])
                    if let momentum {
                        var (sum, squares) = (0.0, 0.0)
                        for image in 0..<images {
                            sum += sumOfElements(o.x.base + (image * channels + channel) * pixels, count: pixels)
                        }
                        mean = Float(sum / count)
                        for image in 0..<images {
                            squares += sumOfSquares(
                                o.x.base + (image * channels + channel) * pixels, around: mean, count: pixels)
                        }
                        variance = Float(squares / count)
                        // What is kept is the unbiased estimate, as other frameworks have it.
                        let unbiased = Float(squares / max(1, count - 1))
                        o.mean[channel] += momentum * (mean - o.mean[channel])
                        o.variance[channel] += momentum * (unbiased - o.variance[channel])
                    }
                    let gain = 1 / (variance + o.epsilon).squareRoot()
                    centres[channel] = mean
                    gains[channel] = gain
                    let factor = o.scale[channel] * gain
                    for image in 0..<images {
                        let start = (image * channels + channel) * pixels
                        scaleAndShift(
                            o.x.base + start, into: o.y.base + start, count: pixels, scale: factor,
                            shift: o.bias[channel] - mean * factor)
                    }
                }
            }
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient = o.gradient else { return }
        let (o, images, channels, pixels) = (o, images, channels, pixels)
        let (centres, gains, usesBatch) = (centres, gains, momentum != nil)
        let count = Double(images * pixels)
        context.pool.forEach(channels) { channel in
            let (mean, gain) = (centres[channel], gains[channel])
            var (sum, products) = (0.0, 0.0)
            for image in 0..<images {
                let start = (image * channels + channel) * pixels
                sum += sumOfElements(gradient + start, count: pixels)
                products += sumOfProducts(gradient + start, around: mean, o.x.base + start, count: pixels)
            }
            let slope = products * Double(gain)
            o.biasTarget?.add(Float(sum), at: channel)
            o.scaleTarget?.add(Float(slope), at: channel)
            guard let target = o.target else { return }
            let factor = o.scale[channel] * gain
            // dx = factor (dy - mean(dy) - xhat mean(dy xhat)), with xhat = (x - mean) gain.
            let perElement = usesBatch ? -factor * gain * Float(slope / count) : 0
            let constant = (usesBatch ? -factor * Float(sum / count) : 0) - perElement * mean
            for image in 0..<images {
                let start = (image * channels + channel) * pixels
                combine(
                    gradient + start, times: factor, o.x.base + start, times: perElement, plus: constant,
                    into: target.base + start, count: pixels, accumulates: target.accumulates)
            }
        }
    }
}
