import MartletKernelsBaseline

/// The maximum or mean of each channel.
final class GlobalPoolingStep: DifferentiableStep {
    private let x: Operand
    private let y: Operand
    private let isMaximum: Bool
    private let gradient: UnsafeMutablePointer<Float>?
    private let target: GradientTarget?

    init(x: Operand, y: Operand, isMaximum: Bool, gradient: UnsafeMutablePointer<Float>?, target: GradientTarget?) {
        self.x = x
        self.y = y
        self.isMaximum = isMaximum
        self.gradient = gradient
        self.target = target
    }

    private var planes: Int { x.extents[0] * x.extents[1] }
    private var pixels: Int { x.extents.dropFirst(2).reduce(1, *) }

    func forward(_ context: TrainingContext) {
        let pixels = pixels
        context.pool.forEach(planes) { plane in
            let source = x.base + plane * pixels
            y.base[plane] = isMaximum ? maximum(source, count: pixels) : mean(source, count: pixels)
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient, let target else { return }
        let pixels = pixels
        context.pool.forEach(planes) { plane in
            let start = plane * pixels
            target.prepare(at: start, count: pixels)
            let result = target.base + start
            if isMaximum {
                if let place = (0..<pixels).first(where: { x.base[start + $0] == y.base[plane] }) {
                    result[place] += gradient[plane]
                }
            } else {
                let share = gradient[plane] / Float(pixels)
                for i in 0..<pixels { result[i] += share }
            }
        }
    }
}
