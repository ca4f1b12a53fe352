import MartletKernelsBaseline
import MartletNetworks

/// Arithmetic of two values that are broadcast to each other.
final class ArithmeticStep: DifferentiableStep {
    private let a: Operand
    private let b: Operand
    private let y: Operand
    private let operation: Arithmetic
    private let gradient: UnsafeMutablePointer<Float>?
    private let aTarget: GradientTarget?
    private let bTarget: GradientTarget?
    private let rows: StridedRows

    init(
        a: Operand, b: Operand, y: Operand, operation: Arithmetic, gradient: UnsafeMutablePointer<Float>?,
        aTarget: GradientTarget?, bTarget: GradientTarget?
    ) {
        self.a = a
        self.b = b
        self.y = y
        self.operation = operation
        self.gradient = gradient
        self.aTarget = aTarget
        self.bTarget = bTarget
        rows = StridedRows(
            extents: y.extents,
            strides: [a.strides(broadcastTo: y.extents), b.strides(broadcastTo: y.extents), y.strides])
    }

    func forward(_ context: TrainingContext) {
        let (count, a, b, y) = (rows.count, a.base, b.base, y.base)
        let (aStep, bStep) = (rows.step(0), rows.step(1))
        rows.forEach { offsets in
            let (a, b, y) = (a + offsets[0], b + offsets[1], y + offsets[2])
            switch operation {
            case .add: add(a, step: aStep, b, step: bStep, into: y, count: count)
            case .subtract: subtract(a, step: aStep, b, step: bStep, into: y, count: count)
            case .multiply: multiply(a, step: aStep, b, step: bStep, into: y, count: count)
            case .divide: divide(a, step: aStep, b, step: bStep, into: y, count: count)
            }
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient else { return }
        aTarget?.prepare(at: 0, count: a.count)
        bTarget?.prepare(at: 0, count: b.count)
        let count = rows.count
        let (aStep, bStep) = (rows.step(0), rows.step(1))
        rows.forEach { offsets in
            let (a, b, slope) = (a.base + offsets[0], b.base + offsets[1], gradient + offsets[2])
            if let aTarget {
                let result = aTarget.base + offsets[0]
                switch operation {
                case .add, .subtract: accumulate(result, aStep, count) { slope[$0] }
                case .multiply: accumulate(result, aStep, count) { slope[$0] * b[$0 * bStep] }
                case .divide: accumulate(result, aStep, count) { slope[$0] / b[$0 * bStep] }
                }
            }
            if let bTarget {
                let result = bTarget.base + offsets[1]
                switch operation {
                case .add: accumulate(result, bStep, count) { slope[$0] }
                case .subtract: accumulate(result, bStep, count) { -slope[$0] }
                case .multiply: accumulate(result, bStep, count) { slope[$0] * a[$0 * aStep] }
                case .divide:
                    accumulate(result, bStep, count) {
                        -slope[$0] * a[$0 * aStep] / (b[$0 * bStep] * b[$0 * bStep])
                    }
                }
            }
        }
    }

    @inline(__always) private func accumulate(
        _ result: UnsafeMutablePointer<Float>, _ step: Int, _ count: Int, _ term: (Int) -> Float
    ) {
        if step == 0 {
            var sum = 0.0
            for i in 0..<count { sum += Double(term(i)) }
            result[0] += Float(sum)
        } else {
            for i in 0..<count { result[i * step] += term(i) }
        }
    }
}

extension Operand {
    /// The distances between neighbours along each axis of a result that this is broadcast to; zero repeats.
    func strides(broadcastTo result: [Int]) -> [Int] {
        let missing = result.count - extents.count
        return [Int](repeating: 0, count: missing) + zip(extents, strides).map { $0 == 1 ? 0 : $1 }
    }
}
