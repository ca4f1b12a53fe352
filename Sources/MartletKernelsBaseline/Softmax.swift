#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Softmax, or its logarithm, of `count` elements that lie `stride` apart. `y` may be `x`.
///
/// The maximum is taken off first, so that nothing overflows; the sum is in double precision.
public func softmax(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, stride: Int, isLogarithmic: Bool
) {
    var largest = -Float.infinity
    for i in 0..<count { largest = x[i * stride] > largest ? x[i * stride] : largest }
    var sum = 0.0
    if isLogarithmic {
        for i in 0..<count { sum += Double(expf(x[i * stride] - largest)) }
        let shift = Float(log(sum))
        for i in 0..<count { y[i * stride] = x[i * stride] - largest - shift }
    } else {
        for i in 0..<count {
            let value = expf(x[i * stride] - largest)
            y[i * stride] = value
            sum += Double(value)
        }
        let factor = Float(1 / sum)
        for i in 0..<count { y[i * stride] *= factor }
    }
}
