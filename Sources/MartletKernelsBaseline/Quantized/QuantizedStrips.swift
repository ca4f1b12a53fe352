/// Cuts `rows` x `columns` output pixels into strips and convolves each; the arguments are those of
/// `convolveQuantizedRows`, and those of `depthwiseQuantizedRows` with one vector and one quad.
@inline(__always) func eachQuantizedStrip(
    depthwise: Bool,
    input: UnsafePointer<UInt8>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, quads: Int, wholeCount: Int, lastQuads: Int,
    weights: UnsafeRawPointer, vectors: Int, excess: UnsafePointer<Int>?, bias: UnsafePointer<Int32>,
    factors: UnsafePointer<Float>,
    settings: UnsafePointer<Float>,
    residual: UnsafePointer<UInt8>?, residualRowStep: Int, residualVectorStep: Int,
    output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, outputVectorStep: Int,
    rows: Int, columns: Int
) {
    // Every strip reads all weights. What comes after them is read next, by whoever computes the next vectors.
    let allQuads = wholeCount * quads + (offsetCount - wholeCount) * lastQuads
    var ahead = allQuads * vectors * 4 * quantizedWeightBytes() * Integers.scalarCount
    if let excess {
        let further = vectors == 2 ? excess[1 + excess[0]] : 0
        ahead += (excess[0] + further) * 4 * Integers.scalarCount
    }
    eachSeries(rows: rows, columns: columns, run: longestQuantizedRun(vectors: vectors)) { place in
        let (row, column) = (place.row, place.column)
        let series: StripSeries = (
            count: place.count, inputStep: step(from: place, rowStep: inputRowStep, columnStep: inputColumnStep),
            residualStep: step(from: place, rowStep: residualRowStep, columnStep: bytesOfPixel),
            outputStep: step(from: place, rowStep: outputRowStep, columnStep: bytesOfPixel)
        )
        let input0 = input + row * inputRowStep + column * inputColumnStep
        let input1 = input0 + secondRun(of: place, rowStep: inputRowStep, columnStep: inputColumnStep)
        let output0 = output + row * outputRowStep + column * bytesOfPixel
        let output1 = output0 + secondRun(of: place, rowStep: outputRowStep, columnStep: bytesOfPixel)
        var residual0: UnsafePointer<UInt8>?
        var residual1: UnsafePointer<UInt8>?
        if let residual {
            let first = residual + row * residualRowStep + column * bytesOfPixel
            residual0 = first
            residual1 = first + secondRun(of: place, rowStep: residualRowStep, columnStep: bytesOfPixel)
        }
        let pixels = place.width * place.height
        if depthwise {
            depthwiseQuantizedStrips(
                pixels: pixels, series, input0, input1, inputColumnStep, offsets, offsetCount, weights, bias, factors,
                settings, residual0, residual1, output0, output1)
        } else {
            convolveQuantizedStrips(
                pixels: pixels, vectors: vectors, series, input0, input1, inputColumnStep, offsets, offsetCount, quads,
                wholeCount, lastQuads, weights, ahead, excess, bias, factors, settings, residual0, residual1,
                residualVectorStep, output0,
                output1, outputVectorStep)
        }
    }
}
