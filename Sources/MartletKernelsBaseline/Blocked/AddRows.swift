/// output = clamp(a + b) of `rows` rows of `columns` pixels of `vectorLanes()` channels; `output` may be `a` or `b`.
///
/// - Parameters:
///   - aRowStep: Floats between rows of `a`.
///   - bRowStep: Floats between rows of `b`.
///   - outputRowStep: Floats between rows of `output`.
///   - minimum: Lower bound of the result, -infinity for none.
///   - maximum: Upper bound of the result, infinity for none.
public func addRows(
    _ a: UnsafePointer<Float>, aRowStep: Int, _ b: UnsafePointer<Float>, bRowStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    let count = columns * Vector.scalarCount
    var row = 0
    while row < rows {
        let a = a + row * aRowStep
        let b = b + row * bRowStep
        let output = output + row * outputRowStep
        var i = 0
        while i < count {
            store(clamp(load(a + i) + load(b + i), minimum, maximum), to: output + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}
