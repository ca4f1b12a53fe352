// Gradients of elementwise functions, in place: `gradient`, of the loss by y, becomes that by x.

/// Of max(x, 0), from its result.
public func reluGradient(_ y: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { gradient[i] = y[i] > 0 ? gradient[i] : 0 }
}

/// Of max(minimum, min(maximum, x)), from its result; zero at the bounds.
public func clipGradient(
    _ y: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int, minimum: Float, maximum: Float
) {
    for i in 0..<count { gradient[i] = y[i] > minimum && y[i] < maximum ? gradient[i] : 0 }
}

/// Of x where positive, else slope x, from x or, for a positive slope, its result.
public func leakyReluGradient(
    _ x: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int, slope: Float
) {
    for i in 0..<count { gradient[i] = x[i] < 0 ? slope * gradient[i] : gradient[i] }
}

/// Of 1 / (1 + e^-x), from its result.
public func sigmoidGradient(_ y: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { gradient[i] *= y[i] * (1 - y[i]) }
}

/// Of max(0, min(1, alpha x + beta)), from its result; zero at the bounds.
public func hardSigmoidGradient(
    _ y: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int, alpha: Float
) {
    for i in 0..<count { gradient[i] = y[i] > 0 && y[i] < 1 ? alpha * gradient[i] : 0 }
}

/// Of x max(0, min(1, x / 6 + 1/2)), from x.
public func hardSwishGradient(_ x: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count {
        let slope: Float = x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : x[i] / 3 + 0.5
        gradient[i] *= slope
    }
}

/// Of the hyperbolic tangent, from its result.
public func hyperbolicTangentGradient(
    _ y: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int
) {
    for i in 0..<count { gradient[i] *= 1 - y[i] * y[i] }
}
