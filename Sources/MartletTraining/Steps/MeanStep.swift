import MartletKernelsBaseline

/// The mean over some axes.
final class MeanStep: DifferentiableStep {
    private let x: Operand
    private let y: Operand
    private let gradient: UnsafeMutablePointer<Float>?
    private let target: GradientTarget?
    private let rows: StridedRows
    private let factor: Float

    /// - Parameter axes: Of `x`, the axes over which the mean is taken.
    init(x: Operand, y: Operand, axes: Set<Int>, gradient: UnsafeMutablePointer<Float>?, target: GradientTarget?) {
        self.x = x
        self.y = y
        self.gradient = gradient
        self.target = target
        var strides = [Int](repeating: 0, count: x.extents.count)
        var step = 1
        for axis in x.extents.indices.reversed() where !axes.contains(axis) {
            strides[axis] = step
            step *= x.extents[axis]
        }
        rows = StridedRows(extents: x.extents, strides: [x.strides, strides])
        factor = 1 / Float(max(1, axes.reduce(1) { $0 * x.extents[$1] }))
    }

    func forward(_ context: TrainingContext) {
        fill(y.base, count: y.count, with: 0)
        let (count, step, factor) = (rows.count, rows.step(1), factor)
        rows.forEach { offsets in
            let (source, result) = (x.base + offsets[0], y.base + offsets[1])
            if step == 0 {
                result[0] += factor * Float(sumOfElements(source, count: count))
            } else {
                for i in 0..<count { result[i * step] += factor * source[i] }
            }
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient, let target else { return }
        target.prepare(at: 0, count: x.count)
        let (count, step, factor) = (rows.count, rows.step(1), factor)
        rows.forEach { offsets in
            let (source, result) = (gradient + offsets[1], target.base + offsets[0])
            for i in 0..<count { result[i] += factor * source[i * step] }
        }
    }
}
