/// Sets the border around `rows` x `columns` pixels to zero and leaves the pixels as they are.
///
/// - Parameters:
///   - plane: The first float of the border's top left corner; the whole is
///     `[top + rows + bottom][left + columns + right][pixelStep]`.
///   - pixelStep: Floats of a pixel: `vectorLanes()`, or 4 of an image.
public func fillBorder(
    _ plane: UnsafeMutablePointer<Float>, pixelStep: Int, rows: Int, columns: Int,
    top: Int, left: Int, bottom: Int, right: Int
) {
    let rowStep = (left + columns + right) * pixelStep
    let between = (left + right) * pixelStep
    // The end of a row and the start of the next are neighbours.
    zero(plane, top * rowStep + left * pixelStep)
    var row = 0
    var start = plane + top * rowStep + (left + columns) * pixelStep
    while row + 1 < rows {
        zero(start, between)
        start += rowStep
        row += 1
    }
    zero(plane + (top + rows) * rowStep - right * pixelStep, right * pixelStep + bottom * rowStep)
}

@inline(__always) private func zero(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
    var i = 0
    while i + Vector.scalarCount <= count {
        store(.zero, to: target + i)
        i += Vector.scalarCount
    }
    while i < count {
        target[i] = 0
        i += 1
    }
}
