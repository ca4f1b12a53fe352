/// Products of rows of 16-bit numbers with one or two vectors of outputs, scaled; c stands for `quantizedLanes()`.
///
///     output[v][x][o] = factors[v][o] * sum over i, q, k of weights[i][q][v][o][k] * input[i][x][q][k]
///
/// Sums must fit 32 bits: they are exact, and so are the same however the columns are split.
///
/// - Parameters:
///   - input: What column 0 has at offset 0: numbers of 16 bits.
///   - inputColumnStep: Bytes from one column to the next.
///   - offsets: Bytes to add to `input` for each run of numbers.
///   - pairs: Pairs of numbers at each offset.
///   - weights: `[offsetCount][pairs][vectors][c][2]` of 16 bits.
///   - vectors: Output vectors: 1 or 2.
///   - factors: `[vectors][c]`.
///   - output: The first vector of column 0; columns are c floats apart.
///   - outputVectorStep: Floats between the two output vectors.
public func multiplyPairs(
    input: UnsafePointer<UInt8>, inputColumnStep: Int, offsets: UnsafePointer<Int>, offsetCount: Int, pairs: Int,
    weights: UnsafeRawPointer, vectors: Int, factors: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    outputVectorStep: Int, columns: Int
) {
    let lanes = Integers.scalarCount
    let ahead = offsetCount * pairs * vectors * 4 * lanes
    let run = longestQuantizedRun(vectors: vectors)
    var column = 0
    while column < columns {
        let width = stripWidth(remaining: columns - column, run: run)
        let half = width & 1 == 0 ? width / 2 : 0
        let source = input + column * inputColumnStep
        let target = output + column * lanes
        multiplyPairsStrip(
            pixels: width, vectors: vectors, source, source + half * inputColumnStep, inputColumnStep, offsets,
            offsetCount, pairs, weights, ahead, factors, target, target + half * lanes, outputVectorStep)
        column += width
    }
}
