/// Adds the columns of ``im2col(_:channels:window:firstPixel:pixelCount:into:rowStride:)``, all pixels of an image, back to
/// where they were taken from.
///
/// - Parameters:
///   - columns: `[channels * taps, pixels]`.
///   - result: `[channels, depth, height, width]`.
public func addColumns(
    _ columns: UnsafePointer<Float>, channels: Int, window: SlidingWindow, to result: UnsafeMutablePointer<Float>
) {
    for channel in 0..<channels {
        let plane = result + channel * window.inputCount
        let rows = columns + channel * window.tapCount * window.outputCount
        forEachTapRow(window) { output, input, count, step, tap in
            let source = rows + tap * window.outputCount + output
            let target = plane + input
            if step == 1 {
                for i in 0..<count { target[i] += source[i] }
            } else {
                for i in 0..<count { target[i * step] += source[i] }
            }
        }
    }
}

/// Adds the gradient of a depthwise convolution of one channel to that of the channel.
///
/// - Parameters:
///   - gradient: One number per window.
///   - weight: One number per tap.
///   - result: `[depth, height, width]`.
public func addDepthwiseInputGradient(
    _ gradient: UnsafePointer<Float>, weight: UnsafePointer<Float>, window: SlidingWindow,
    to result: UnsafeMutablePointer<Float>
) {
    forEachTapRow(window) { output, input, count, step, tap in
        let (source, target, factor) = (gradient + output, result + input, weight[tap])
        if step == 1 {
            for i in 0..<count { target[i] += factor * source[i] }
        } else {
            for i in 0..<count { target[i * step] += factor * source[i] }
        }
    }
}

/// Adds the gradient of a depthwise convolution of one channel to that of its kernel.
///
/// - Parameters:
///   - gradient: One number per window.
///   - plane: `[depth, height, width]`.
///   - result: One number per tap.
public func addDepthwiseWeightGradient(
    _ gradient: UnsafePointer<Float>, plane: UnsafePointer<Float>, window: SlidingWindow,
    to result: UnsafeMutablePointer<Double>
) {
    forEachTapRow(window) { output, input, count, step, tap in
        result[tap] += sumOfProducts(gradient + output, plane + input, step: step, count: count)
    }
}
