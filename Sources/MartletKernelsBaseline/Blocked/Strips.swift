/// Cuts `rows` x `columns` output pixels into strips and convolves each; the arguments are those of `convolveRows`, and
/// those of `depthwiseRows` with one vector and one lane. Every strip reads all weights; what lies `ahead` of a weight, in
/// floats, is fetched meanwhile, since it is read next by whoever computes the next blocks.
@inline(__always) func eachStrip(
    depthwise: Bool,
    input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, lanes: Int, wholeCount: Int, lastLanes: Int,
    weights: UnsafePointer<Float>, ahead: Int, vectors: Int, bias: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, residualRowStep: Int, residualBlockStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    eachSeries(rows: rows, columns: columns, run: longestRun(vectors: vectors)) { place in
        let (row, column, c) = (place.row, place.column, Vector.scalarCount)
        let series: StripSeries = (
            count: place.count, inputStep: step(from: place, rowStep: inputRowStep, columnStep: inputColumnStep),
            residualStep: step(from: place, rowStep: residualRowStep, columnStep: c),
            outputStep: step(from: place, rowStep: outputRowStep, columnStep: c)
        )
        let input0 = input + row * inputRowStep + column * inputColumnStep
        let input1 = input0 + secondRun(of: place, rowStep: inputRowStep, columnStep: inputColumnStep)
        let output0 = output + row * outputRowStep + column * c
        let output1 = output0 + secondRun(of: place, rowStep: outputRowStep, columnStep: c)
        var residual0: UnsafePointer<Float>?
        var residual1: UnsafePointer<Float>?
        if let residual {
            let first = residual + row * residualRowStep + column * c
            residual0 = first
            residual1 = first + secondRun(of: place, rowStep: residualRowStep, columnStep: c)
        }
        let pixels = place.width * place.height
        if depthwise {
            depthwiseStrips(
                pixels: pixels, series, input0, input1, inputColumnStep, offsets, offsetCount, weights, bias,
                residual0, residual1, output0, output1, minimum, maximum)
        } else {
            convolveStrips(
                pixels: pixels, vectors: vectors, series, input0, input1, inputColumnStep, offsets, offsetCount, lanes,
                wholeCount, lastLanes, weights, ahead, bias, residual0, residual1, residualBlockStep, output0, output1,
                outputBlockStep,
                minimum, maximum)
        }
    }
}
