#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The gradient of ``localResponseNormalization(_:into:channels:channelStride:count:alpha:beta:bias:size:)`` for `count`
/// pixels of one image.
///
/// With s the base of the power, dx = dy s^-beta - 2 alpha beta / size x sum of (dy x s^(-beta - 1)) over the channels in
/// whose sum this one is.
///
/// - Parameters:
///   - x: The first of the pixels in channel 0.
///   - gradient: The same in the gradient by the result.
///   - result: The same in the gradient by `x`.
///   - channelStride: Elements between the same pixel of neighbouring channels, in all.
///   - scratch: `2 * channels * count` floats.
///   - accumulates: Whether `result` is added to.
public func localResponseNormalizationGradient(
    _ x: UnsafePointer<Float>, gradient: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>, channels: Int,
    channelStride: Int, count: Int, alpha: Float, beta: Float, bias: Float, size: Int,
    scratch: UnsafeMutablePointer<Float>, accumulates: Bool
) {
    let factor = alpha / Float(size)
    let powers = scratch
    let terms = scratch + channels * count
    for channel in 0..<channels {
        let (power, term) = (powers + channel * count, terms + channel * count)
        let (first, last) = (channel - (size - 1) / 2, channel + size / 2)
        fill(power, count: count, with: 0)
        for neighbour in (first > 0 ? first : 0)...(last < channels ? last : channels - 1) {
            let other = x + neighbour * channelStride
            for i in 0..<count { power[i] += other[i] * other[i] }
        }
        let (source, slope) = (x + channel * channelStride, gradient + channel * channelStride)
        for i in 0..<count {
            let base = bias + factor * power[i]
            power[i] = powf(base, -beta)
            term[i] = slope[i] * source[i] * power[i] / base
        }
    }
    for channel in 0..<channels {
        // The channels whose sums this one is in.
        let (first, last) = (channel - size / 2, channel + (size - 1) / 2)
        let range = (first > 0 ? first : 0)...(last < channels ? last : channels - 1)
        let (source, slope) = (x + channel * channelStride, gradient + channel * channelStride)
        let (power, target) = (powers + channel * count, result + channel * channelStride)
        for i in 0..<count {
            var sum: Float = 0
            for other in range { sum += terms[other * count + i] }
            let value = slope[i] * power[i] - 2 * factor * beta * source[i] * sum
            target[i] = accumulates ? target[i] + value : value
        }
    }
}

/// Adds the gradient of softmax, or of its logarithm, of `count` elements that lie `stride` apart.
///
/// - Parameters:
///   - y: The result of ``softmax(_:into:count:stride:isLogarithmic:)``.
///   - gradient: Of the loss by `y`.
///   - result: Of the loss by its argument.
public func addSoftmaxGradient(
    _ y: UnsafePointer<Float>, gradient: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>, count: Int,
    stride: Int, isLogarithmic: Bool
) {
    var sum = 0.0
    if isLogarithmic {
        for i in 0..<count { sum += Double(gradient[i * stride]) }
        for i in 0..<count { result[i * stride] += gradient[i * stride] - expf(y[i * stride]) * Float(sum) }
    } else {
        for i in 0..<count { sum += Double(gradient[i * stride]) * Double(y[i * stride]) }
        for i in 0..<count { result[i * stride] += y[i * stride] * (gradient[i * stride] - Float(sum)) }
    }
}
