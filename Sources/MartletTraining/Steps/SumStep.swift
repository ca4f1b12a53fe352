import MartletKernelsBaseline

/// The sum of several values, broadcast to each other.
final class SumStep: DifferentiableStep {
    private let inputs: [(value: Operand, gradient: GradientTarget?)]
    private let y: Operand
    private let gradient: UnsafeMutablePointer<Float>?

    init(
        inputs: [(value: Operand, gradient: GradientTarget?)], y: Operand, gradient: UnsafeMutablePointer<Float>?
    ) {
        self.inputs = inputs
        self.y = y
        self.gradient = gradient
    }

    private func rows(_ input: Operand) -> StridedRows {
        StridedRows(extents: y.extents, strides: [input.strides(broadcastTo: y.extents), y.strides])
    }

    func forward(_ context: TrainingContext) {
        fill(y.base, count: y.count, with: 0)
        for (value, _) in inputs {
            let rows = rows(value)
            let (count, step) = (rows.count, rows.step(0))
            rows.forEach { offsets in
                let (source, result) = (value.base + offsets[0], y.base + offsets[1])
                for i in 0..<count { result[i] += source[i * step] }
            }
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient else { return }
        for case (let value, let target?) in inputs {
            target.prepare(at: 0, count: value.count)
            let rows = rows(value)
            let (count, step) = (rows.count, rows.step(0))
            rows.forEach { offsets in
                let (source, result) = (gradient + offsets[1], target.base + offsets[0])
                if step == 0 {
                    result[0] += Float(sumOfElements(source, count: count))
                } else {
                    for i in 0..<count { result[i * step] += source[i] }
                }
            }
        }
    }
}
