/// The maximum of each window over one channel; the border is never the maximum, a NaN is passed over.
public func maxPool(_ plane: UnsafePointer<Float>, window: SlidingWindow, into result: UnsafeMutablePointer<Float>) {
    fill(result, count: window.outputCount, with: -.infinity)
    forEachTapRow(window) { output, input, count, step, _ in
        let target = result + output
        let source = plane + input
        if step == 1 {
            for i in 0..<count { target[i] = source[i] > target[i] ? source[i] : target[i] }
        } else if step == 2 {
            for i in 0..<count { target[i] = source[2 * i] > target[i] ? source[2 * i] : target[i] }
        } else {
            for i in 0..<count { target[i] = source[step * i] > target[i] ? source[step * i] : target[i] }
        }
    }
}

/// The mean of each window over one channel.
///
/// - Parameter countsPadding: Whether the border counts as zeros. What lies past the border, which `ceil` rounding can
///   reach, never counts.
public func averagePool(
    _ plane: UnsafePointer<Float>, window: SlidingWindow, countsPadding: Bool,
    into result: UnsafeMutablePointer<Float>
) {
    fill(result, count: window.outputCount, with: 0)
    forEachTapRow(window) { output, input, count, step, _ in
        let target = result + output
        let source = plane + input
        if step == 1 {
            for i in 0..<count { target[i] += source[i] }
        } else {
            for i in 0..<count { target[i] += source[step * i] }
        }
    }
    var target = result
    for z in 0..<window.depth.output {
        let depthTaps = window.depth.tapsInside(window: z, countsBorder: countsPadding)
        for y in 0..<window.height.output {
            let taps = depthTaps * window.height.tapsInside(window: y, countsBorder: countsPadding)
            for x in 0..<window.width.output {
                let count = taps * window.width.tapsInside(window: x, countsBorder: countsPadding)
                // A window with nothing in it has the sum 0 and the mean 0.
                target[x] /= Float(count > 0 ? count : 1)
            }
            target += window.width.output
        }
    }
}

/// The mean of `count` elements, summed in double precision.
public func mean(_ values: UnsafePointer<Float>, count: Int) -> Float {
    var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
    var i = 0
    while i + 4 <= count {
        a += Double(values[i])
        b += Double(values[i + 1])
        c += Double(values[i + 2])
        d += Double(values[i + 3])
        i += 4
    }
    while i < count {
        a += Double(values[i])
        i += 1
    }
    return Float(((a + b) + (c + d)) / Double(count))
}

/// The largest of `count` elements; a NaN is passed over.
public func maximum(_ values: UnsafePointer<Float>, count: Int) -> Float {
    var result = -Float.infinity
    for i in 0..<count { result = values[i] > result ? values[i] : result }
    return result
}
