/// Cuts `rows` x `columns` output pixels into strips and convolves each; the arguments are those of `convolveRows`, and
/// those of `depthwiseRows` with one vector and one lane. Every strip reads all weights; what lies `ahead` of a weight, in
/// floats, is fetched meanwhile, since it is read next by whoever computes the next blocks.
@inline(__always) func eachStrip(
    depthwise: Bool,
    input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int,
    offsets: UnsafePointer<Int>, offsetCount: Int, lanes: Int,
    weights: UnsafePointer<Float>, ahead: Int, vectors: Int, bias: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, residualRowStep: Int, residualBlockStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int,
    rows: Int, columns: Int, minimum: Float, maximum: Float
) {
    let run = longestRun(vectors: vectors)
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
        let output0 = output + row * outputRowStep + column * Vector.scalarCount
        let output1 = output0 + (twoRows ? outputRowStep : half * Vector.scalarCount)
        var residual0: UnsafePointer<Float>?
        var residual1: UnsafePointer<Float>?
        if let residual {
            let first = residual + row * residualRowStep + column * Vector.scalarCount
            residual0 = first
            residual1 = first + (twoRows ? residualRowStep : half * Vector.scalarCount)
        }
        if depthwise {
            depthwiseStrip(
                pixels: pixels, input0, input1, inputColumnStep, offsets, offsetCount, weights, bias,
                residual0, residual1, output0, output1, minimum, maximum)
        } else {
            convolveStrip(
                pixels: pixels, vectors: vectors, input0, input1, inputColumnStep, offsets, offsetCount, lanes,
                weights, ahead, bias, residual0, residual1, residualBlockStep, output0, output1, outputBlockStep,
                minimum, maximum)
        }
        moveOn(&row, &column, width: width, height: twoRows ? 2 : 1, rows: rows, columnsOfOneRowStrips: oneRow)
    }
}
