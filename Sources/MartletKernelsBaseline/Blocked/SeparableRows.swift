/// A depthwise convolution of `rows` x `columns` output pixels of one block of channels by 3x3 kernels of rank one, without
/// stride or dilation: down the columns, then along the rows, six products a pixel in place of nine; c stands for
/// `vectorLanes()`.
///
///     v[y][x][o] = sum over t of weights[t][o] * input[y + t][x][o]
///     output[y][x][o] = clamp(bias[o] + residual[y][x][o] + sum over t of weights[3 + t][o] * v[y][x + t][o])
///
/// Each pixel is written once, after its residual was read, so `residual` may be `output`; splitting the rows differently
/// gives the same bits.
///
/// - Parameters:
///   - input: What the first tap sees at output pixel (0, 0); pixels of a row are c floats apart.
///   - weights: `[3][c]` of the column, `[3][c]` of the row.
///   - bias: `[c]`.
///   - residual: Laid out as the output, with a row step of its own; `nil` for none.
///   - output: Pixel (0, 0); pixels of a row are c floats apart.
///   - minimum: Lower bound of the result, -infinity for none.
///   - maximum: Upper bound of the result, infinity for none.
public func separableRows(
    input: UnsafePointer<Float>, inputRowStep: Int, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, residualRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    let c = Vector.scalarCount
    let (down0, down1, down2) = (load(weights), load(weights + c), load(weights + 2 * c))
    let (along0, along1, along2) = (load(weights + 3 * c), load(weights + 4 * c), load(weights + 5 * c))
    let bias = load(bias)

    @inline(__always) func column(_ top: UnsafePointer<Float>) -> Vector {
        let two = multiplyAdd(down0 * load(top), load(top + inputRowStep), down1)
        return multiplyAdd(two, load(top + 2 * inputRowStep), down2)
    }
    @inline(__always) func finish(
        _ left: Vector, _ middle: Vector, _ right: Vector, _ residual: UnsafePointer<Float>?,
        _ output: UnsafeMutablePointer<Float>
    ) {
        var sum = bias
        if let residual { sum += load(residual) }
        sum = multiplyAdd(sum, left, along0)
        sum = multiplyAdd(sum, middle, along1)
        sum = multiplyAdd(sum, right, along2)
        store(clamp(sum, minimum, maximum), to: output)
    }

    var row = 0
    while row < rows {
        var top = input + row * inputRowStep
        var target = output + row * outputRowStep
        var addend = residual.map { $0 + row * residualRowStep }
        var (v0, v1) = (column(top), column(top + c))
        top += 2 * c
        var left = columns
        while left >= 4 {
            let (v2, v3) = (column(top), column(top + c))
            finish(v0, v1, v2, addend, target)
            finish(v1, v2, v3, addend.map { $0 + c }, target + c)
            (v0, v1) = (column(top + 2 * c), column(top + 3 * c))
            finish(v2, v3, v0, addend.map { $0 + 2 * c }, target + 2 * c)
            finish(v3, v0, v1, addend.map { $0 + 3 * c }, target + 3 * c)
            top += 4 * c
            target += 4 * c
            addend = addend.map { $0 + 4 * c }
            left -= 4
        }
        while left > 0 {
            let v2 = column(top)
            finish(v0, v1, v2, addend, target)
            (v0, v1) = (v1, v2)
            top += c
            target += c
            addend = addend.map { $0 + c }
            left -= 1
        }
        row += 1
    }
}
