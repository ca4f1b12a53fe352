// Elementwise arithmetic of `count` elements. A step of 1 walks along an operand, a step of 0 repeats its first
// element; `result` may be an operand of step 1.

/// result = a + b.
public func add(
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into result: UnsafeMutablePointer<Float>, count: Int
) {
    combine(a, aStep, b, bStep, result, count) { $0 + $1 }
}

/// result = a - b.
public func subtract(
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into result: UnsafeMutablePointer<Float>, count: Int
) {
    combine(a, aStep, b, bStep, result, count) { $0 - $1 }
}

/// result = a b.
public func multiply(
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into result: UnsafeMutablePointer<Float>, count: Int
) {
    combine(a, aStep, b, bStep, result, count) { $0 * $1 }
}

/// result = a / b.
public func divide(
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into result: UnsafeMutablePointer<Float>, count: Int
) {
    combine(a, aStep, b, bStep, result, count) { $0 / $1 }
}

/// result = scale x + shift: batch normalisation of one channel.
public func scaleAndShift(
    _ x: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>, count: Int, scale: Float, shift: Float
) {
    for i in 0..<count { result[i] = x[i] * scale + shift }
}

@inline(__always) private func combine(
    _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
    _ result: UnsafeMutablePointer<Float>, _ count: Int, _ function: (Float, Float) -> Float
) {
    if count <= 0 { return }
    if aStep != 0 && bStep != 0 {
        for i in 0..<count { result[i] = function(a[i], b[i]) }
    } else if aStep != 0 {
        let b = b[0]
        for i in 0..<count { result[i] = function(a[i], b) }
    } else if bStep != 0 {
        let a = a[0]
        for i in 0..<count { result[i] = function(a, b[i]) }
    } else {
        fill(result, count: count, with: function(a[0], b[0]))
    }
}
