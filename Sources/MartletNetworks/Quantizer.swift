/// The rounding of `QuantizeLinear` to an integer type, with one scale and zero point.
public struct Quantizer<Target: FixedWidthInteger>: Sendable {
    private let scale: Float
    private let zeroPoint: Int64
    private let lowest, highest: Float

    /// A quantizer in steps of `scale`, zero at `zeroPoint`.
    public init(scale: Float, zeroPoint: Int64) {
        self.scale = scale
        self.zeroPoint = zeroPoint
        lowest = Float(Int64(Target.min) - zeroPoint)
        highest = Float(Int64(Target.max) - zeroPoint)
    }

    /// `value / scale + zeroPoint`, to the nearest integer, ties to even, saturated. What is no number becomes the zero point.
    public func quantized(_ value: Float) -> Target { rounded(steps: value / scale) }

    /// `steps + zeroPoint`, to the nearest integer, ties to even, saturated.
    public func rounded(steps: Float) -> Target {
        if steps.isNaN { return Target(truncatingIfNeeded: zeroPoint) }
        let rounded = min(max(steps, lowest), highest).rounded(.toNearestOrEven)
        return Target(truncatingIfNeeded: Int64(rounded) + zeroPoint)
    }
}
