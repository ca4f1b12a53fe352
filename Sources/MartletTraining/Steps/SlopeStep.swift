import MartletKernelsBaseline

/// x where positive, else a slope that is broadcast to it, times x.
final class SlopeStep: DifferentiableStep {
    private let x: Operand
    private let slope: Operand
    private let y: Operand
    private let gradient: UnsafeMutablePointer<Float>?
    private let xTarget: GradientTarget?
    private let slopeTarget: GradientTarget?
    private let rows: StridedRows

    init(
        x: Operand, slope: Operand, y: Operand, gradient: UnsafeMutablePointer<Float>?, xTarget: GradientTarget?,
        slopeTarget: GradientTarget?
    ) {
        self.x = x
        self.slope = slope
        self.y = y
        self.gradient = gradient
        self.xTarget = xTarget
        self.slopeTarget = slopeTarget
        rows = StridedRows(
            extents: x.extents, strides: [x.strides, slope.strides(broadcastTo: x.extents)])
    }

    func forward(_ context: TrainingContext) {
        let (count, step) = (rows.count, rows.step(1))
        rows.forEach { offsets in
            let (x, y, slope) = (x.base + offsets[0], y.base + offsets[0], slope.base + offsets[1])
            for i in 0..<count { y[i] = x[i] < 0 ? slope[i * step] * x[i] : x[i] }
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient else { return }
        xTarget?.prepare(at: 0, count: x.count)
        slopeTarget?.prepare(at: 0, count: slope.count)
        let (count, step) = (rows.count, rows.step(1))
        rows.forEach { offsets in
            let (x, g, slope) = (x.base + offsets[0], gradient + offsets[0], slope.base + offsets[1])
            if let result = xTarget.map({ $0.base + offsets[0] }) {
                for i in 0..<count { result[i] += x[i] < 0 ? slope[i * step] * g[i] : g[i] }
            }
            if let result = slopeTarget.map({ $0.base + offsets[1] }) {
                for i in 0..<count where x[i] < 0 { result[i * step] += g[i] * x[i] }
            }
        }
    }
}
