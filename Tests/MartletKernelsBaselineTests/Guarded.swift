import MartletKernelsBaseline
import MartletTestSupport
import Testing

/// Runs `body` on a buffer of `count` elements full of NaN, checks that nothing around it was written, and returns it.
func guarded(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    let margin = 32
    let mark: Float = -12345.5
    var buffer = [Float](repeating: mark, count: count + 2 * margin)
    for i in 0..<count { buffer[margin + i] = .nan }
    buffer.withUnsafeMutableBufferPointer { body($0.baseAddress! + margin) }
    #expect(buffer[..<margin].allSatisfy { $0 == mark } && buffer[(margin + count)...].allSatisfy { $0 == mark })
    return Array(buffer[margin..<(margin + count)])
}

extension WindowOracle {
    /// The same window as the kernels take it.
    var window: SlidingWindow {
        let axes = input.indices.map {
            WindowAxis(
                input: input[$0], output: output[$0], kernel: kernel[$0], stride: strides[$0], dilation: dilations[$0],
                before: before[$0], after: after[$0])
        }
        switch axes.count {
        case 1: return SlidingWindow(width: axes[0])
        case 2: return SlidingWindow(height: axes[0], width: axes[1])
        default: return SlidingWindow(depth: axes[0], height: axes[1], width: axes[2])
        }
    }
}
