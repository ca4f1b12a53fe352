import MartletKernelsBaseline

/// Softmax or its logarithm.
final class SoftmaxStep: DifferentiableStep {
    private let x: Operand
    private let y: Operand
    private let count: Int
    private let inner: Int
    private let isLogarithmic: Bool
    private let gradient: UnsafeMutablePointer<Float>?
    private let target: GradientTarget?

    /// - Parameters:
    ///   - count: The elements that sum to one.
    ///   - inner: The distance between them.
    init(
        x: Operand, y: Operand, count: Int, inner: Int, isLogarithmic: Bool,
        gradient: UnsafeMutablePointer<Float>?, target: GradientTarget?
    ) {
        self.x = x
        self.y = y
        self.count = count
        self.inner = inner
        self.isLogarithmic = isLogarithmic
        self.gradient = gradient
        self.target = target
    }

    private func forEachRow(_ body: (_ offset: Int) -> Void) {
        let row = max(1, count * inner)
        for outer in 0..<x.count / row { for offset in 0..<inner { body(outer * row + offset) } }
    }

    func forward(_ context: TrainingContext) {
        forEachRow { offset in
            softmax(
                x.base + offset, into: y.base + offset, count: count, stride: inner, isLogarithmic: isLogarithmic)
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient, let target else { return }
        target.prepare(at: 0, count: x.count)
        forEachRow { offset in
            addSoftmaxGradient(
                y.base + offset, gradient: gradient + offset, to: target.base + offset, count: count, stride: inner,
                isLogarithmic: isLogarithmic)
        }
    }
}
