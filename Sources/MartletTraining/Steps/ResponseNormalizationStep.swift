import MartletKernelsBaseline
import MartletNetworks

/// Local response normalisation, an image at a time.
final class ResponseNormalizationStep: DifferentiableStep {
    private let x: Operand
    private let y: Operand
    private let normalization: LocalResponseNormalization
    private let gradient: UnsafeMutablePointer<Float>?
    private let target: GradientTarget?

    init(
        x: Operand, y: Operand, normalization: LocalResponseNormalization, gradient: UnsafeMutablePointer<Float>?,
        target: GradientTarget?
    ) {
        self.x = x
        self.y = y
        self.normalization = normalization
        self.gradient = gradient
        self.target = target
    }

    private var channels: Int { x.extents[1] }
    private var pixels: Int { x.extents.dropFirst(2).reduce(1, *) }
    /// Pixels done at once.
    private static let part = 256

    var scratchBytes: Int { 2 * channels * ResponseNormalizationStep.part * MemoryLayout<Float>.stride }

    func forward(_ context: TrainingContext) {
        let n = normalization
        context.pool.forEach(x.extents[0]) { image in
            let start = image * channels * pixels
            localResponseNormalization(
                x.base + start, into: y.base + start, channels: channels, channelStride: pixels, count: pixels,
                alpha: n.alpha, beta: n.beta, bias: n.bias, size: n.size)
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient, let target else { return }
        let (n, pixels, part) = (normalization, pixels, ResponseNormalizationStep.part)
        let parts = (pixels + part - 1) / part
        context.pool.forEach(x.extents[0] * parts) { task, worker in
            let (image, index) = task.quotientAndRemainder(dividingBy: parts)
            let start = image * channels * pixels + index * part
            localResponseNormalizationGradient(
                x.base + start, gradient: gradient + start, result: target.base + start, channels: channels,
                channelStride: pixels, count: min(part, pixels - index * part), alpha: n.alpha, beta: n.beta,
                bias: n.bias, size: n.size, scratch: context.floats(worker: worker),
                accumulates: target.accumulates)
        }
    }
}
