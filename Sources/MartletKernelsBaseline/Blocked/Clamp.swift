import CMartletIntrinsics

/// Each lane between `minimum` and `maximum`; NaN stays NaN.
@_transparent func clamp(_ vector: Vector, _ minimum: Float, _ maximum: Float) -> Vector {
    martlet_clamp(vector, minimum, maximum)
}
