/// A depthwise convolution of `rows` x `columns` output pixels of one block of channels; c stands for `vectorLanes()`.
///
///     output[y][x][o] = clamp(bias[o] + residual[y][x][o]
///         + sum over i of weights[i][o] * input[offsets[i] + y inputRowStep + x inputColumnStep + o])
///
/// Kernel size and dilation are in the offsets, the stride is in the steps. Each pixel is written once, after its
/// residual was read, so `residual` may be `output`; splitting the output differently gives the same bits.
///
/// - Parameters:
///   - input: What tap 0 sees at output pixel (0, 0).
///   - inputRowStep: Floats between what one output pixel sees and what the pixel below sees.
///   - inputColumnStep: Floats between what one output pixel sees and what the pixel to its right sees.
///   - offsets: For each tap, floats to add to `input`.
///   - weights: `[offsetCount][c]`.
///   - bias: `[c]`.
///   - residual: Laid out as the output, with a row step of its own; `nil` for none.
///   - output: Pixel (0, 0); pixels of a row are c floats apart.
///   - minimum: Lower bound of the result, -infinity for none.
///   - maximum: Upper bound of the result, infinity for none.
public func depthwiseRows(
    input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int,
    weights: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, residualRowStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    eachStrip(
        depthwise: true,
        input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep,
        offsets: offsets, offsetCount: offsetCount, lanes: 1, wholeCount: offsetCount, lastLanes: 0, weights: weights,
        ahead: 0, vectors: 1,
        bias: bias,
        residual: residual, residualRowStep: residualRowStep, residualBlockStep: 0,
        output: output, outputRowStep: outputRowStep, outputBlockStep: 0,
        rows: rows, columns: columns, minimum: minimum, maximum: maximum)
}
