/// Adds the gradient of the maximum of each window to that of one channel: it goes to the first of the largest elements.
///
/// - Parameters:
///   - plane: The channel.
///   - gradient: Of the loss by the maxima.
///   - result: Of the loss by the channel.
public func addMaxPoolGradient(
    _ plane: UnsafePointer<Float>, gradient: UnsafePointer<Float>, window: SlidingWindow,
    to result: UnsafeMutablePointer<Float>
) {
    let (depth, height, width) = (window.depth, window.height, window.width)
    var index = 0
    for z in 0..<depth.output {
        for y in 0..<height.output {
            for x in 0..<width.output {
                var largest = -Float.infinity
                var place = -1
                for depthTap in 0..<depth.kernel {
                    let inputZ = z * depth.stride + depth.offset(tap: depthTap)
                    if inputZ < 0 || inputZ >= depth.input { continue }
                    for heightTap in 0..<height.kernel {
                        let inputY = y * height.stride + height.offset(tap: heightTap)
                        if inputY < 0 || inputY >= height.input { continue }
                        let row = (inputZ * height.input + inputY) * width.input
                        for widthTap in 0..<width.kernel {
                            let inputX = x * width.stride + width.offset(tap: widthTap)
                            if inputX < 0 || inputX >= width.input { continue }
                            if plane[row + inputX] > largest {
                                largest = plane[row + inputX]
                                place = row + inputX
                            }
                        }
                    }
                }
                if place >= 0 { result[place] += gradient[index] }
                index += 1
            }
        }
    }
}

/// Adds the gradient of the mean of each window to that of one channel; see ``averagePool(_:window:countsPadding:into:)``.
///
/// - Parameters:
///   - gradient: Of the loss by the means.
///   - scratch: As many floats.
///   - result: Of the loss by the channel.
public func addAveragePoolGradient(
    _ gradient: UnsafePointer<Float>, window: SlidingWindow, countsPadding: Bool,
    scratch: UnsafeMutablePointer<Float>, to result: UnsafeMutablePointer<Float>
) {
    var index = 0
    for z in 0..<window.depth.output {
        let depthTaps = window.depth.tapsInside(window: z, countsBorder: countsPadding)
        for y in 0..<window.height.output {
            let taps = depthTaps * window.height.tapsInside(window: y, countsBorder: countsPadding)
            for x in 0..<window.width.output {
                let count = taps * window.width.tapsInside(window: x, countsBorder: countsPadding)
                scratch[index] = gradient[index] / Float(count > 0 ? count : 1)
                index += 1
            }
        }
    }
    forEachTapRow(window) { output, input, count, step, _ in
        for i in 0..<count { result[input + i * step] += scratch[output + i] }
    }
}
