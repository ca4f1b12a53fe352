/// Each lane between `minimum` and `maximum`; NaN stays NaN.
@_transparent func clamp(_ vector: Vector, _ minimum: Float, _ maximum: Float) -> Vector {
    let raised = vector.replacing(with: minimum, where: vector .< minimum)
    return raised.replacing(with: maximum, where: raised .> maximum)
}
