#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// y = x / (bias + alpha / size * sum of x^2 over neighbouring channels)^beta, for `count` pixels of one image.
///
/// The channels of the sum are `channel - (size - 1) / 2 ... channel + size / 2`, as ONNX has it.
///
/// - Parameters:
///   - x: The first of the pixels in channel 0.
///   - y: The same in the result, not overlapping `x`.
///   - channelStride: Elements between the same pixel of neighbouring channels, in both.
public func localResponseNormalization(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, channels: Int, channelStride: Int, count: Int,
    alpha: Float, beta: Float, bias: Float, size: Int
) {
    let factor = alpha / Float(size)
    for channel in 0..<channels {
        let target = y + channel * channelStride
        let source = x + channel * channelStride
        let first = channel - (size - 1) / 2
        let last = channel + size / 2
        fill(target, count: count, with: 0)
        for neighbour in (first > 0 ? first : 0)...(last < channels ? last : channels - 1) {
            let other = x + neighbour * channelStride
            for i in 0..<count { target[i] += other[i] * other[i] }
        }
        if beta == 0.75 {
            // Two square roots cost a tenth of a power.
            for i in 0..<count {
                let root = (bias + factor * target[i]).squareRoot()
                target[i] = source[i] / (root * root.squareRoot())
            }
        } else {
            for i in 0..<count { target[i] = source[i] / powf(bias + factor * target[i], beta) }
        }
    }
}
