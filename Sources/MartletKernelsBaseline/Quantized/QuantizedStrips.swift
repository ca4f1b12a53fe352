/// Cuts `rows` x `columns` output pixels into strips and convolves each; the arguments are those of
/// `convolveQuantizedRows`, and those of `depthwiseQuantizedRows` with one vector and one quad.
@inline(__always) func eachQuantizedStrip(
    depthwise: Bool,
    input: UnsafePointer<UInt8>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, quads: Int,
    weights: UnsafeRawPointer, vectors: Int, excess: UnsafePointer<Int>?, bias: UnsafePointer<Int32>,
    factors: UnsafePointer<Float>,
    settings: UnsafePointer<Float>,
    residual: UnsafePointer<UInt8>?, residualRowStep: Int, residualVectorStep: Int,
    output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, outputVectorStep: Int,
    rows: Int, columns: Int
) {
    let run = longestQuantizedRun(vectors: vectors)
    // Every strip reads all weights. What comes after them is read next, by whoever computes the next vectors.
    var ahead = offsetCount * quads * vectors * 4 * quantizedWeightBytes() * Integers.scalarCount
    if let excess {
        let further = vectors == 2 ? excess[1 + excess[0]] : 0
        ahead += (excess[0] + further) * 4 * Integers.scalarCount
    }
    let oneRow = columnsOfOneRowStrips(columns, run: run)
    var (row, column) = (0, 0)
    while column < columns && row < rows {
        let width = stripWidth(remaining: columns - column, run: run)
        let twoRows = width <= run && row + 1 < rows
        // A strip of one row is cut in halves if it can be.
        let half = width & 1 == 0 ? width / 2 : 0
        let pixels = twoRows ? 2 * width : width
        let input0 = input + row * inputRowStep + column * inputColumnStep
        let input1 = input0 + (twoRows ? inputRowStep : half * inputColumnStep)
        let output0 = output + row * outputRowStep + column * bytesOfPixel
        let output1 = output0 + (twoRows ? outputRowStep : half * bytesOfPixel)
        var residual0: UnsafePointer<UInt8>?
        var residual1: UnsafePointer<UInt8>?
        if let residual {
            let first = residual + row * residualRowStep + column * bytesOfPixel
            residual0 = first
            residual1 = first + (twoRows ? residualRowStep : half * bytesOfPixel)
        }
        if depthwise {
            depthwiseQuantizedStrip(
                pixels: pixels, input0, input1, inputColumnStep, offsets, offsetCount, weights, bias, factors,
                settings, residual0, residual1, output0, output1)
        } else {
            convolveQuantizedStrip(
                pixels: pixels, vectors: vectors, input0, input1, inputColumnStep, offsets, offsetCount, quads,
                weights, ahead, excess, bias, factors, settings, residual0, residual1, residualVectorStep, output0,
                output1, outputVectorStep)
        }
        moveOn(&row, &column, width: width, height: twoRows ? 2 : 1, rows: rows, columnsOfOneRowStrips: oneRow)
    }
}
