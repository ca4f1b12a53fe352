/// Channels of a block: as many floats as a register of this instruction set holds.
public func vectorLanes() -> Int { Vector.scalarCount }

/// A convolution of `rows` x `columns` output pixels and one or two blocks of output channels; c stands for
/// `vectorLanes()`.
///
///     output[v][y][x][o] = clamp(bias[v][o] + residual[v][y][x][o]
///         + sum over i, l of weights[i][l][v][o] * input[offsets[i] + y inputRowStep + x inputColumnStep + l])
///
/// Kernel size, dilation, groups and the number of input channels are all in the offsets, the stride is in the steps.
/// Each pixel is written once, after its residual was read, so `residual` may be `output`. Sums run in the order of the
/// weights, whatever `rows` and `columns` are: splitting the output differently gives the same bits.
///
/// - Parameters:
///   - input: What tap 0 of input block 0 sees at output pixel (0, 0).
///   - inputRowStep: Floats between what one output pixel sees and what the pixel below sees.
///   - inputColumnStep: Floats between what one output pixel sees and what the pixel to its right sees.
///   - offsets: For each tap of each input block, floats to add to `input`.
///   - lanes: Channels read at each offset: 1 ... c, or the channels of an image.
///   - weights: `[offsetCount][lanes][vectors][c]`, best aligned to a register.
///   - vectors: Output blocks: 1 or 2.
///   - bias: `[vectors][c]`.
///   - residual: Laid out as the output, with steps of its own; `nil` for none.
///   - output: Pixel (0, 0) of the first block; pixels of a row are c floats apart.
///   - outputBlockStep: Floats between the two output blocks.
///   - minimum: Lower bound of the result, -infinity for none.
///   - maximum: Upper bound of the result, infinity for none.
public func convolveRows(
    input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, lanes: Int,
    weights: UnsafePointer<Float>, vectors: Int, bias: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, residualRowStep: Int, residualBlockStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    let run = longestRun(vectors: vectors)
    var column = 0
    while column < columns {
        // One panel of columns after the other: the rows that neighbouring strips share stay in the cache.
        let width = panelWidth(remaining: columns - column, run: run)
        let even = width & 1 == 0
        var row = 0
        while row < rows {
            let twoRows = width <= run && row + 1 < rows
            let input0 = input + row * inputRowStep + column * inputColumnStep
            let output0 = output + row * outputRowStep + column * Vector.scalarCount
            let residual0 = residual.map { $0 + row * residualRowStep + column * Vector.scalarCount }
            let half = even ? width / 2 : 0
            convolveStrip(
                pixels: twoRows ? 2 * width : width, vectors: vectors,
                input0, input0 + (twoRows ? inputRowStep : half * inputColumnStep), inputColumnStep,
                offsets, offsetCount, lanes, weights, bias,
                residual0, residual0.map { $0 + (twoRows ? residualRowStep : half * Vector.scalarCount) },
                residualBlockStep,
                output0, output0 + (twoRows ? outputRowStep : half * Vector.scalarCount), outputBlockStep,
                minimum, maximum)
            row += twoRows ? 2 : 1
        }
        column += width
    }
}

/// Columns of the next panel: up to `run` columns (two rows make a strip) or an even number up to twice that (one row).
///
/// The widest strip comes first as long as what is left is worth a strip: fewer than four pixels would wait for the
/// products before them and for their weights.
@inline(__always) private func panelWidth(remaining: Int, run: Int) -> Int {
    let widest = 2 * run
    if remaining == widest || remaining >= widest + 4 { return widest }
    if remaining > widest { return ((remaining + 1) / 2 + 1) & ~1 }
    if remaining <= run || remaining & 1 == 0 { return remaining }
    return (remaining + 1) / 2
}
