/// A depthwise convolution of bytes: `rows` x `columns` output pixels of one vector of channels; c stands for
/// `quantizedLanes()`. Rounding and settings are those of `convolveQuantizedRows`.
///
///     sum[y][x][o] = bias[o] + sum over i of weights[i][o] * input[offsets[i] + y inputRowStep + x inputColumnStep + o]
///
/// - Parameters:
///   - input: What tap 0 sees at output pixel (0, 0).
///   - inputRowStep: Bytes between what one output pixel sees and what the pixel below sees.
///   - inputColumnStep: Bytes between what one output pixel sees and what the pixel to its right sees.
///   - offsets: For each tap, bytes to add to `input`.
///   - weights: `[offsetCount][c]`, of 32 bits.
///   - bias: `[c]`.
///   - factors: `[c]`.
///   - residual: Laid out as the output, with a row step of its own; `nil` for none.
///   - output: Pixel (0, 0); pixels of a row are 16 bytes apart.
public func depthwiseQuantizedRows(
    input: UnsafePointer<UInt8>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int,
    weights: UnsafePointer<Int32>, bias: UnsafePointer<Int32>, factors: UnsafePointer<Float>,
    settings: UnsafePointer<Float>,
    residual: UnsafePointer<UInt8>?, residualRowStep: Int,
    output: UnsafeMutablePointer<UInt8>, outputRowStep: Int,
    rows: Int, columns: Int
) {
    eachQuantizedStrip(
        depthwise: true,
        input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep,
        offsets: offsets, offsetCount: offsetCount, quads: 1, wholeCount: offsetCount, lastQuads: 0, weights: weights,
        vectors: 1,
        excess: nil, bias: bias, factors: factors, settings: settings,
        residual: residual, residualRowStep: residualRowStep, residualVectorStep: 0,
        output: output, outputRowStep: outputRowStep, outputVectorStep: 0, rows: rows, columns: columns)
}
