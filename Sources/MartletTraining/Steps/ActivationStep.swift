import MartletInference
import MartletNetworks

/// An elementwise function of one argument.
final class ActivationStep: DifferentiableStep {
    private let x: Operand
    private let y: Operand
    private let activation: Activation
    private let gradient: UnsafeMutablePointer<Float>?
    private let target: GradientTarget?

    init(
        x: Operand, y: Operand, activation: Activation, gradient: UnsafeMutablePointer<Float>?,
        target: GradientTarget?
    ) {
        self.x = x
        self.y = y
        self.activation = activation
        self.gradient = gradient
        self.target = target
    }

    private static let part = 16 * 1024

    private func forEachPart(_ context: TrainingContext, _ body: (_ first: Int, _ count: Int) -> Void) {
        let (count, part) = (y.count, ActivationStep.part)
        context.pool.forEach((count + part - 1) / part) { body($0 * part, min(part, count - $0 * part)) }
    }

    func forward(_ context: TrainingContext) {
        forEachPart(context) { first, count in
            activation.apply(x.base + first, into: y.base + first, count: count)
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient, let target else { return }
        let known = activation.isToldByResult ? y : x
        forEachPart(context) { first, count in
            activation.multiplyGradient(gradient + first, result: known.base + first, count: count)
            target.add(gradient + first, at: first, count: count)
        }
    }
}
