#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Elementwise functions of `count` elements; `y` may be `x`. NaN stays NaN.

/// y = max(minimum, min(maximum, x)).
public func clip(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, minimum: Float, maximum: Float
) {
    for i in 0..<count { y[i] = clamped(x[i], minimum, maximum) }
}

/// y = x where x is positive, else slope x.
public func leakyRelu(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, slope: Float
) {
    for i in 0..<count { y[i] = x[i] < 0 ? slope * x[i] : x[i] }
}

/// y = x where x is not negative; the rest of y stays as it is.
public func takeWherePositive(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = x[i] < 0 ? y[i] : x[i] }
}

/// y = 1 / (1 + e^-x).
public func sigmoid(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = 1 / (1 + expf(-x[i])) }
}

/// y = max(0, min(1, alpha x + beta)).
public func hardSigmoid(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, alpha: Float, beta: Float
) {
    for i in 0..<count { y[i] = clamped(alpha * x[i] + beta, 0, 1) }
}

/// y = x max(0, min(1, x / 6 + 1/2)).
public func hardSwish(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = x[i] * clamped(x[i] * (1 / 6) + 0.5, 0, 1) }
}

/// y = tanh x.
public func hyperbolicTangent(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = tanhf(x[i]) }
}
