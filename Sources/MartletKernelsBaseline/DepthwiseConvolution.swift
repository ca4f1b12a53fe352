/// The convolution of one channel with one kernel, which is all that a depthwise convolution does.
///
/// - Parameters:
///   - plane: `[depth, height, width]`.
///   - weight: One number per tap.
///   - result: One number per window.
public func depthwiseConvolution(
    _ plane: UnsafePointer<Float>, weight: UnsafePointer<Float>, window: SlidingWindow,
    into result: UnsafeMutablePointer<Float>
) {
    fill(result, count: window.outputCount, with: 0)
    forEachTapRow(window) { output, input, count, step, tap in
        let target = result + output
        let source = plane + input
        let factor = weight[tap]
        if step == 1 {
            for i in 0..<count { target[i] += factor * source[i] }
        } else if step == 2 {
            for i in 0..<count { target[i] += factor * source[2 * i] }
        } else {
            for i in 0..<count { target[i] += factor * source[step * i] }
        }
    }
}
