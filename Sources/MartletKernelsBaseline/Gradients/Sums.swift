// What gradients are added up with. Long sums run in sixteen lanes and end in double precision, in an order that their
// length alone decides.

/// target += source.
public func addElements(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { target[i] += source[i] }
}

/// target += factor * source.
public func addElements(
    _ source: UnsafePointer<Float>, times factor: Float, to target: UnsafeMutablePointer<Float>, count: Int
) {
    for i in 0..<count { target[i] += factor * source[i] }
}

/// target += a * b.
public func addProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int
) {
    for i in 0..<count { target[i] += a[i] * b[i] }
}

/// The sum of `count` elements.
public func sumOfElements(_ values: UnsafePointer<Float>, count: Int) -> Double {
    var lanes = SIMD16<Float>.zero
    var i = 0
    while i + 16 <= count {
        lanes += UnsafeRawPointer(values + i).loadUnaligned(as: SIMD16<Float>.self)
        i += 16
    }
    return total(lanes) + rest(values + i, count: count - i) { Double($0[$1]) }
}

/// The sum of the products of `count` elements that lie `step` apart in `b`.
public func sumOfProducts(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, step: Int = 1, count: Int) -> Double {
    var lanes = SIMD16<Float>.zero
    var i = 0
    if step == 1 {
        while i + 16 <= count {
            lanes +=
                UnsafeRawPointer(a + i).loadUnaligned(as: SIMD16<Float>.self)
                * UnsafeRawPointer(b + i).loadUnaligned(as: SIMD16<Float>.self)
            i += 16
        }
    }
    var sum = total(lanes)
    while i < count {
        sum += Double(a[i]) * Double(b[i * step])
        i += 1
    }
    return sum
}

/// The sum of `(x - mean)^2` of `count` elements.
public func sumOfSquares(_ x: UnsafePointer<Float>, around mean: Float, count: Int) -> Double {
    var lanes = SIMD16<Float>.zero
    let shift = SIMD16<Float>(repeating: mean)
    var i = 0
    while i + 16 <= count {
        let value = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD16<Float>.self) - shift
        lanes += value * value
        i += 16
    }
    return total(lanes) + rest(x + i, count: count - i) { Double(($0[$1] - mean) * ($0[$1] - mean)) }
}

@inline(__always) private func total(_ lanes: SIMD16<Float>) -> Double {
    var sum = 0.0
    for lane in 0..<16 { sum += Double(lanes[lane]) }
    return sum
}

@inline(__always) private func rest(
    _ values: UnsafePointer<Float>, count: Int, _ term: (UnsafePointer<Float>, Int) -> Double
) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += term(values, i) }
    return sum
}

/// The sum of `a (b - mean)` of `count` elements.
public func sumOfProducts(
    _ a: UnsafePointer<Float>, around mean: Float, _ b: UnsafePointer<Float>, count: Int
) -> Double {
    var lanes = SIMD16<Float>.zero
    let shift = SIMD16<Float>(repeating: mean)
    var i = 0
    while i + 16 <= count {
        lanes +=
            UnsafeRawPointer(a + i).loadUnaligned(as: SIMD16<Float>.self)
            * (UnsafeRawPointer(b + i).loadUnaligned(as: SIMD16<Float>.self) - shift)
        i += 16
    }
    var sum = total(lanes)
    while i < count {
        sum += Double(a[i] * (b[i] - mean))
        i += 1
    }
    return sum
}

/// result = aFactor a + bFactor b + constant, added to what is there if it `accumulates`.
public func combine(
    _ a: UnsafePointer<Float>, times aFactor: Float, _ b: UnsafePointer<Float>, times bFactor: Float,
    plus constant: Float, into result: UnsafeMutablePointer<Float>, count: Int, accumulates: Bool
) {
    if accumulates {
        for i in 0..<count { result[i] += aFactor * a[i] + bFactor * b[i] + constant }
    } else {
        for i in 0..<count { result[i] = aFactor * a[i] + bFactor * b[i] + constant }
    }
}
