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
///   - lanes: Channels read at each of the first `wholeCount` offsets: c, or the channels of a value of few.
///   - lastLanes: Channels read at the offsets behind those: of a block that is not full.
///   - weights: `[offsetCount][lanes or lastLanes][vectors][c]`, best aligned to a register.
///   - vectors: Output blocks: 1 or 2.
///   - bias: `[vectors][c]`.
///   - residual: Laid out as the output, with steps of its own; `nil` for none.
///   - output: Pixel (0, 0) of the first block; pixels of a row are c floats apart.
///   - outputBlockStep: Floats between the two output blocks.
///   - minimum: Lower bound of the result, -infinity for none.
///   - maximum: Upper bound of the result, infinity for none.
public func convolveRows(
    input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, lanes: Int, wholeCount: Int, lastLanes: Int,
    weights: UnsafePointer<Float>, vectors: Int, bias: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, residualRowStep: Int, residualBlockStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    eachStrip(
        depthwise: false,
        input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep,
        offsets: offsets, offsetCount: offsetCount, lanes: lanes, wholeCount: wholeCount, lastLanes: lastLanes,
        weights: weights,
        ahead: (wholeCount * lanes + (offsetCount - wholeCount) * lastLanes) * vectors * Vector.scalarCount,
        vectors: vectors, bias: bias,
        residual: residual, residualRowStep: residualRowStep, residualBlockStep: residualBlockStep,
        output: output, outputRowStep: outputRowStep, outputBlockStep: outputBlockStep,
        rows: rows, columns: columns, minimum: minimum, maximum: maximum)
}

/// ``convolveRows`` with weights in half precision, which are widened first, exactly.
///
/// - Parameters:
///   - weights: `[offsetCount][lanes or lastLanes][vectors][c]`, with those of the next blocks behind them.
///   - widened: Room for as many floats, best in the cache.
public func convolveHalfRows(
    input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, lanes: Int, wholeCount: Int, lastLanes: Int,
    weights: UnsafePointer<Float16>, widened: UnsafeMutablePointer<Float>, vectors: Int, bias: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, residualRowStep: Int, residualBlockStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    let count = (wholeCount * lanes + (offsetCount - wholeCount) * lastLanes) * vectors * Vector.scalarCount
    widenHalves(weights, count: count, into: widened)
    // Halves are as many bytes as half the floats: the fetching runs through the next two blocks.
    let ahead = (UnsafeRawPointer(weights + count) - UnsafeRawPointer(widened)) / 4
    eachStrip(
        depthwise: false,
        input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep,
        offsets: offsets, offsetCount: offsetCount, lanes: lanes, wholeCount: wholeCount, lastLanes: lastLanes,
        weights: widened, ahead: ahead, vectors: vectors,
        bias: bias, residual: residual, residualRowStep: residualRowStep, residualBlockStep: residualBlockStep,
        output: output, outputRowStep: outputRowStep, outputBlockStep: outputBlockStep,
        rows: rows, columns: columns, minimum: minimum, maximum: maximum)
}
