import MartletKernelsBaseline

/// The maximum or mean of each window.
final class PoolingStep: DifferentiableStep {
    enum Kind {
        case maximum
        case average(countsPadding: Bool)
    }

    private let x: Operand
    private let y: Operand
    private let window: SlidingWindow
    private let kind: Kind
    private let gradient: UnsafeMutablePointer<Float>?
    private let target: GradientTarget?

    init(
        x: Operand, y: Operand, window: SlidingWindow, kind: Kind, gradient: UnsafeMutablePointer<Float>?,
        target: GradientTarget?
    ) {
        self.x = x
        self.y = y
        self.window = window
        self.kind = kind
        self.gradient = gradient
        self.target = target
    }

    private var planes: Int { y.extents[0] * y.extents[1] }

    var scratchBytes: Int { window.outputCount * MemoryLayout<Float>.stride }

    func forward(_ context: TrainingContext) {
        context.pool.forEach(planes) { plane in
            let (source, result) = (x.base + plane * window.inputCount, y.base + plane * window.outputCount)
            switch kind {
            case .maximum: maxPool(source, window: window, into: result)
            case .average(let countsPadding):
                averagePool(source, window: window, countsPadding: countsPadding, into: result)
            }
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient, let target else { return }
        context.pool.forEach(planes) { plane, worker in
            let (input, output) = (plane * window.inputCount, plane * window.outputCount)
            target.prepare(at: input, count: window.inputCount)
            switch kind {
            case .maximum:
                addMaxPoolGradient(
                    x.base + input, gradient: gradient + output, window: window, to: target.base + input)
            case .average(let countsPadding):
                addAveragePoolGradient(
                    gradient + output, window: window, countsPadding: countsPadding,
                    scratch: context.floats(worker: worker), to: target.base + input)
            }
        }
    }
}
