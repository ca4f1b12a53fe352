/// Visits, tap by tap, the rows of windows whose tap lies inside the input.
///
/// - Parameter body: Is told the offset of the first window in the output, the offset of what its tap sees in the
///   input, the number of windows, the distance between what they see, and the tap.
@inline(__always) func forEachTapRow(
    _ window: SlidingWindow,
    _ body: (_ output: Int, _ input: Int, _ count: Int, _ step: Int, _ tap: Int) -> Void
) {
    let (depth, height, width) = (window.depth, window.height, window.width)
    for z in 0..<depth.output {
        for y in 0..<height.output {
            let row = (z * height.output + y) * width.output
            var tap = 0
            for depthTap in 0..<depth.kernel {
                let inputZ = z * depth.stride + depth.offset(tap: depthTap)
                for heightTap in 0..<height.kernel {
                    let inputY = y * height.stride + height.offset(tap: heightTap)
                    if inputZ < 0 || inputZ >= depth.input || inputY < 0 || inputY >= height.input {
                        tap += width.kernel
                        continue
                    }
                    let line = (inputZ * height.input + inputY) * width.input
                    for widthTap in 0..<width.kernel {
                        let offset = width.offset(tap: widthTap)
                        let first = width.firstInside(offset: offset)
                        let end = width.endInside(offset: offset)
                        if end > first {
                            body(row + first, line + first * width.stride + offset, end - first, width.stride, tap)
                        }
                        tap += 1
                    }
                }
            }
        }
    }
}
