/// A convolution of bytes: `rows` x `columns` output pixels of one or two vectors of output channels; c stands for
/// `quantizedLanes()`.
///
///     sum[v][y][x][o] = bias[v][o]
///         + sum over i, q, k of weights[i][q][v][o][k] * input[offsets[i] + y inputRowStep + x inputColumnStep + 4 q + k]
///         + sum over e, k of excessWeights[v][e][o][k] * input[excess[v][e] + y inputRowStep + x inputColumnStep + k]
///     output[v][y][x][o] = zero point + clamp(round(sum factors[v][o] ...))
///
/// The sums are exact, modulo 2^32, and the same whatever order they are taken in. Input bytes count as they are: what a zero
/// point other than 0 adds to the sums belongs into the bias, and the border of the input holds the zero point.
///
/// Rounding is to the nearest integer, halves to the even one. The settings, all floats, are
///
/// 0. the lower bound of the result, from its zero point, 1. the upper bound;
/// 2. the zero point of the result, whose bits are those of an integer;
/// 3. 0, or else a first rounding: the sum times its factor is bounded by 4. and 5. and rounded, then multiplied with this;
/// 6. the factor of the residual, and 7. its zero point.
///
/// - Parameters:
///   - input: What tap 0 of input block 0 sees at output pixel (0, 0).
///   - inputRowStep: Bytes between what one output pixel sees and what the pixel below sees.
///   - inputColumnStep: Bytes between what one output pixel sees and what the pixel to its right sees.
///   - offsets: For each tap of each input block, bytes to add to `input`.
///   - quads: Channels read at each of the first `wholeCount` offsets, in fours: 4 for a whole block.
///   - lastQuads: The same at the offsets behind those: of a block that is not full.
///   - weights: `[offsetCount][quads or lastQuads][vectors][c][4]` bytes where `quantizedWeightBytes()` is 1; otherwise
///     `[offsetCount][quads or lastQuads][vectors][2][c][2]` of 16 bits, the first and third channel of the four before the others.
///     Of bytes, two neighbours (the first and second, the third and fourth of a four) add up to `quantizedPairLimit()` at most,
///     positive or negative. Behind them `excessWeights`, what is left, `[vectors][e][c][4]`.
///   - vectors: Output vectors: 1 or 2.
///   - excess: For each vector how many `e` there are, and so many offsets of fours that are read a second time; `nil` for none.
///   - bias: `[vectors][c]`.
///   - factors: `[vectors][c]`: the scales of input and weights, divided by that of the result.
///   - residual: Laid out as the output, with steps of its own; `nil` for none.
///   - output: Pixel (0, 0) of the first vector; pixels of a row are 16 bytes apart.
///   - outputVectorStep: Bytes between the two output vectors: c where they lie in one pixel, as two vectors of eight lanes must,
///     which are stored as one.
public func convolveQuantizedRows(
    input: UnsafePointer<UInt8>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, quads: Int, wholeCount: Int, lastQuads: Int,
    weights: UnsafeRawPointer, vectors: Int, excess: UnsafePointer<Int>?, bias: UnsafePointer<Int32>,
    factors: UnsafePointer<Float>, settings: UnsafePointer<Float>,
    residual: UnsafePointer<UInt8>?, residualRowStep: Int, residualVectorStep: Int,
    output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, outputVectorStep: Int,
    rows: Int, columns: Int
) {
    eachQuantizedStrip(
        depthwise: false,
        input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep,
        offsets: offsets, offsetCount: offsetCount, quads: quads, wholeCount: wholeCount,
        lastQuads: lastQuads, weights: weights, vectors: vectors, excess: excess, bias: bias, factors: factors,
        settings: settings,
        residual: residual, residualRowStep: residualRowStep, residualVectorStep: residualVectorStep,
        output: output, outputRowStep: outputRowStep, outputVectorStep: outputVectorStep, rows: rows, columns: columns)
}
