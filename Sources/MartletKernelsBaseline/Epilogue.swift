/// Finishes a row of a layer's result in place: `max(minimum, min(maximum, row + bias + residual))`.
///
/// ReLU is `minimum` 0, and infinite bounds are none. NaN stays NaN.
public func finish(
    _ row: UnsafeMutablePointer<Float>, count: Int, bias: Float, residual: UnsafePointer<Float>?, minimum: Float,
    maximum: Float
) {
    if let residual {
        for i in 0..<count { row[i] = clamped(row[i] + bias + residual[i], minimum, maximum) }
    } else {
        for i in 0..<count { row[i] = clamped(row[i] + bias, minimum, maximum) }
    }
}

@inline(__always) func clamped(_ value: Float, _ minimum: Float, _ maximum: Float) -> Float {
    let atLeast = value < minimum ? minimum : value
    return atLeast > maximum ? maximum : atLeast
}
