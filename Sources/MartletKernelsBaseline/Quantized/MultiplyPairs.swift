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
///   - pairs: Pairs of numbers at each of the first `wholeCount` offsets.
///   - lastPairs: The same at the offsets behind those.
///   - weights: `[offsetCount][pairs or lastPairs][vectors][c][2]` of 16 bits.
///   - vectors: Output vectors: 1 or 2.
///   - factors: `[vectors][c]`.
///   - output: The first vector of column 0; columns are c floats apart.
///   - outputVectorStep: Floats between the two output vectors.
public func multiplyPairs(
    input: UnsafePointer<UInt8>, inputColumnStep: Int, offsets: UnsafePointer<Int>, offsetCount: Int, pairs: Int,
    wholeCount: Int, lastPairs: Int, weights: UnsafeRawPointer, vectors: Int, factors: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, outputVectorStep: Int, columns: Int
) {
    let lanes = Integers.scalarCount
    let ahead = (wholeCount * pairs + (offsetCount - wholeCount) * lastPairs) * vectors * 4 * lanes
    eachSeries(rows: 1, columns: columns, run: longestQuantizedRun(vectors: vectors)) { place in
        let series: StripSeries = (
            count: place.count, inputStep: place.width * inputColumnStep, residualStep: 0,
            outputStep: place.width * lanes
        )
        let source = input + place.column * inputColumnStep
        let target = output + place.column * lanes
        multiplyPairsStrips(
            pixels: place.width, vectors: vectors, series, source,
            source + secondRun(of: place, rowStep: 0, columnStep: inputColumnStep), inputColumnStep, offsets,
            offsetCount, pairs, wholeCount, lastPairs, weights, ahead, factors, target,
            target + secondRun(of: place, rowStep: 0, columnStep: lanes), outputVectorStep)
    }
}
