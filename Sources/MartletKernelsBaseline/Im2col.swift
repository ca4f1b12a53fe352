/// Unfolds a tile of one image's output pixels: row `(channel, tap)` of `columns` holds what that tap sees at the pixels
/// `firstPixel ..< firstPixel + pixelCount`, zero in the border.
///
/// - Parameters:
///   - image: `[channels, depth, height, width]`.
///   - window: How the kernel slides; the output pixels are numbered row-major.
///   - columns: `[channels * taps, pixelCount]`, its rows `rowStride` apart, at least `pixelCount`.
public func im2col(
    _ image: UnsafePointer<Float>, channels: Int, window: SlidingWindow, firstPixel: Int, pixelCount: Int,
    into columns: UnsafeMutablePointer<Float>, rowStride: Int
) {
    if pixelCount <= 0 { return }
    let (depth, height, width) = (window.depth, window.height, window.width)
    let firstRow = firstPixel / width.output
    let firstColumn = firstPixel - firstRow * width.output
    let firstPlane = firstRow / height.output
    let firstLine = firstRow - firstPlane * height.output
    let step = width.stride
    var target = columns
    for channel in 0..<channels {
        let plane = image + channel * window.inputCount
        for depthTap in 0..<depth.kernel {
            for heightTap in 0..<height.kernel {
                for widthTap in 0..<width.kernel {
                    let offset = width.offset(tap: widthTap)
                    let inside = width.firstInside(offset: offset)
                    let end = width.endInside(offset: offset)
                    var z = firstPlane
                    var y = firstLine
                    var x = firstColumn
                    var left = pixelCount
                    while left > 0 {
                        let rest = width.output - x
                        let count = rest < left ? rest : left
                        let inputZ = z * depth.stride + depth.offset(tap: depthTap)
                        let inputY = y * height.stride + height.offset(tap: heightTap)
                        if inputZ < 0 || inputZ >= depth.input || inputY < 0 || inputY >= height.input {
                            fill(target, count: count, with: 0)
                        } else {
                            let row = plane + (inputZ * height.input + inputY) * width.input
                            var from = inside > x ? inside : x
                            if from > x + count { from = x + count }
                            var to = end < x + count ? end : x + count
                            if to < from { to = from }
                            fill(target, count: from - x, with: 0)
                            copy(
                                row + (from * step + offset), step: step, into: target + (from - x), count: to - from)
                            fill(target + (to - x), count: x + count - to, with: 0)
                        }
                        target += count
                        left -= count
                        x = 0
                        y += 1
                        if y == height.output {
                            y = 0
                            z += 1
                        }
                    }
                    target += rowStride - pixelCount
                }
            }
        }
    }
}

/// Copies every `step`th element.
@inline(__always) private func copy(
    _ source: UnsafePointer<Float>, step: Int, into target: UnsafeMutablePointer<Float>, count: Int
) {
    if step == 1 {
        if count >= 64 {
            target.update(from: source, count: count)
        } else {
            for i in 0..<count { target[i] = source[i] }
        }
    } else if step == 2 {
        for i in 0..<count { target[i] = source[2 * i] }
    } else {
        for i in 0..<count { target[i] = source[step * i] }
    }
}
