// A^T m A of Winograd's minimal filtering; `WinogradInput.swift` says which.
//
// A^T's rows for the points +-a and +-b take only the sums of two products or only their differences: the even columns of
// a tile need the sums, the odd ones the differences. A tile of six points is done in these two halves, each of which the
// registers of every instruction set hold.

/// A^T m A for a run of tiles of one output block, with the layer's end: `clamp(y + bias + residual)`.
///
/// - Parameters:
///   - size: The outputs of a tile along one side, m: 4, 3 or 2 for six points, 2 for five and four.
///   - points: The positions along one side: m + r - 1, 6 or 4, and 5 for the stride of 2.
///   - products: The vectors of position (0, 0), tile after tile from `firstTile` on.
///   - positionStep: Floats between the vectors of neighbouring positions, of which there are points x points.
///   - tilesPerRow: The tiles side by side in the image.
///   - firstTile: The first tile to transform; they are counted row by row.
///   - tileCount: The number of tiles to transform.
///   - bias: A vector.
///   - residual: Pixel (0, 0) of the block to add, laid out like the output, or none; it may be the output.
///   - residualRowStep: Floats between its rows.
///   - output: Pixel (0, 0) of the block.
///   - outputRowStep: Floats between its rows.
///   - outputRows: The height of the output; what tiles have below it is not written.
///   - outputColumns: The width of the output; what tiles have beyond it is not written.
///   - minimum: The least value of a pixel, -infinity for none.
///   - maximum: The largest value of a pixel, infinity for none.
public func winogradOutput(
    size: Int, points: Int, products: UnsafePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int,
    tileCount: Int, bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?, residualRowStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputRows: Int, outputColumns: Int, minimum: Float,
    maximum: Float
) {
    switch (points, size) {
    case (6, 4):
        transformOutputs(
            size: 4, points: 6, products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual,
            residualRowStep, output, outputRowStep, outputRows, outputColumns, minimum, maximum)
    case (6, 3):
        transformOutputs(
            size: 3, points: 6, products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual,
            residualRowStep, output, outputRowStep, outputRows, outputColumns, minimum, maximum)
    case (6, 2):
        transformOutputs(
            size: 2, points: 6, products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual,
            residualRowStep, output, outputRowStep, outputRows, outputColumns, minimum, maximum)
    case (5, _):
        transformOutputs(
            size: 2, points: 5, products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual,
            residualRowStep, output, outputRowStep, outputRows, outputColumns, minimum, maximum)
    default:
        transformOutputs(
            size: 2, points: 4, products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual,
            residualRowStep, output, outputRowStep, outputRows, outputColumns, minimum, maximum)
    }
}

/// `winogradOutput` for a size and points that are constants where this is called.
@inline(__always) private func transformOutputs(
    size: Int, points: Int, _ products: UnsafePointer<Float>, _ positionStep: Int, _ tilesPerRow: Int,
    _ firstTile: Int, _ tileCount: Int, _ bias: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?,
    _ residualRowStep: Int, _ output: UnsafeMutablePointer<Float>, _ outputRowStep: Int, _ outputRows: Int,
    _ outputColumns: Int, _ minimum: Float, _ maximum: Float
) {
    let lanes = Vector.scalarCount
    // Without a residual, the bias takes its place for every pixel: one way for both, without a branch a pixel.
    let residualRowStep = residual == nil ? 0 : residualRowStep
    let residualColumnStep = residual == nil ? 0 : lanes
    let first = residual == nil ? Vector(repeating: 0) : load(bias)
    let residual = residual ?? bias
    let (minimum, maximum) = (Vector(repeating: minimum), Vector(repeating: maximum))
    var row = firstTile / tilesPerRow * size
    var column = firstTile % tilesPerRow * size
    var source = products
    for _ in 0..<tileCount {
        let (rows, columns) = (outputRows - row, outputColumns - column)
        let target = output + row * outputRowStep + column * lanes
        let addend = residual + row * residualRowStep + column * residualColumnStep
        if rows >= size && columns >= size {
            transformOutput(
                size: size, points: points, source, positionStep, first, addend, residualRowStep, residualColumnStep,
                target, outputRowStep, rows: size, columns: size, minimum, maximum)
        } else {
            transformOutput(
                size: size, points: points, source, positionStep, first, addend, residualRowStep, residualColumnStep,
                target, outputRowStep, rows: rows, columns: columns, minimum, maximum)
        }
        source += lanes
        column += size
        if column == tilesPerRow * size {
            column = 0
            row += size
        }
    }
}

@_transparent private func transformOutput(
    size: Int, points: Int, _ products: UnsafePointer<Float>, _ positionStep: Int, _ bias: Vector,
    _ residual: UnsafePointer<Float>, _ residualRowStep: Int, _ residualColumnStep: Int,
    _ target: UnsafeMutablePointer<Float>, _ rowStep: Int, rows: Int, columns: Int, _ minimum: Vector,
    _ maximum: Vector
) {
    if points == 6 {
        transformOutput6(
            products, positionStep: positionStep, size: size, bias: bias, residual: residual,
            residualRowStep: residualRowStep, residualColumnStep: residualColumnStep, to: target, rowStep: rowStep,
            rows: rows, columns: columns, minimum: minimum, maximum: maximum)
    } else if points == 5 {
        transformOutput5(
            products, positionStep: positionStep, bias: bias, residual: residual, residualRowStep: residualRowStep,
            residualColumnStep: residualColumnStep, to: target, rowStep: rowStep, rows: rows, columns: columns,
            minimum: minimum, maximum: maximum)
    } else {
        transformOutput4(
            products, positionStep: positionStep, bias: bias, residual: residual, residualRowStep: residualRowStep,
            residualColumnStep: residualColumnStep, to: target, rowStep: rowStep, rows: rows, columns: columns,
            minimum: minimum, maximum: maximum)
    }
}

/// Adds the residual, clamps and writes a pixel. NaN stays NaN.
@_transparent private func finish(
    _ value: Vector, residual: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, minimum: Vector,
    maximum: Vector
) {
    var value = value + load(residual)
    value.replace(with: minimum, where: value .< minimum)
    value.replace(with: maximum, where: value .> maximum)
    store(value, to: target)
}

// MARK: Six points

/// Columns 0 and 2 of a row of m A; of three columns, the last takes the product for infinity.
@_transparent private func evenColumns6(
    _ m: UnsafePointer<Float>, _ step: Int, size: Int
) -> (first: Vector, second: Vector) {
    let inner = load(m + step) + load(m + 2 * step)
    let outer = load(m + 3 * step) + load(m + 4 * step)
    var second = multiplyAdd(inner * Vector(repeating: 0.390625), Vector(repeating: 2.25), outer)
    if size == 3 { second += load(m + 5 * step) }
    return (load(m) + inner + outer, second)
}

/// Columns 1 and 3 of a row of m A; the last of four or of two takes the product for infinity.
@_transparent private func oddColumns6(
    _ m: UnsafePointer<Float>, _ step: Int, size: Int
) -> (first: Vector, second: Vector) {
    let inner = load(m + step) - load(m + 2 * step)
    let outer = load(m + 3 * step) - load(m + 4 * step)
    var first = multiplyAdd(inner * Vector(repeating: 0.625), Vector(repeating: 1.5), outer)
    if size == 2 { first += load(m + 5 * step) }
    if size < 4 { return (first, first) }
    return (
        first,
        multiplyAdd(
            multiplyAdd(load(m + 5 * step), Vector(repeating: 0.244140625), inner), Vector(repeating: 3.375), outer)
    )
}

/// A column of A^T (m A), from the rows of m A: the first, the sums and differences of those for the points +-a and +-b,
/// and the last.
@_transparent private func finishColumn6(
    size: Int, top: Vector, innerSum: Vector, innerDifference: Vector, outerSum: Vector, outerDifference: Vector,
    bottom: Vector, bias: Vector, residual: UnsafePointer<Float>, residualRowStep: Int,
    to target: UnsafeMutablePointer<Float>, rowStep: Int, rows: Int, minimum: Vector, maximum: Vector
) {
    finish(
        bias + top + innerSum + outerSum, residual: residual, to: target, minimum: minimum, maximum: maximum)
    if rows > 1 {
        finish(
            multiplyAdd(
                multiplyAdd(
                    size == 2 ? bias + bottom : bias, Vector(repeating: 0.625), innerDifference),
                Vector(repeating: 1.5), outerDifference),
            residual: residual + residualRowStep, to: target + rowStep, minimum: minimum, maximum: maximum)
    }
    if size > 2 && rows > 2 {
        finish(
            multiplyAdd(
                multiplyAdd(size == 3 ? bias + bottom : bias, Vector(repeating: 0.390625), innerSum),
                Vector(repeating: 2.25), outerSum),
            residual: residual + 2 * residualRowStep, to: target + 2 * rowStep, minimum: minimum,
            maximum: maximum)
    }
    if size > 3 && rows > 3 {
        finish(
            multiplyAdd(
                multiplyAdd(bias + bottom, Vector(repeating: 0.244140625), innerDifference),
                Vector(repeating: 3.375), outerDifference),
            residual: residual + 3 * residualRowStep, to: target + 3 * rowStep, minimum: minimum,
            maximum: maximum)
    }
}

/// `size` outputs a side, a constant where this is called.
@_transparent private func transformOutput6(
    _ products: UnsafePointer<Float>, positionStep: Int, size: Int, bias: Vector, residual: UnsafePointer<Float>,
    residualRowStep: Int, residualColumnStep: Int, to target: UnsafeMutablePointer<Float>, rowStep: Int, rows: Int,
    columns: Int, minimum: Vector, maximum: Vector
) {
    let lanes = Vector.scalarCount
    let line = 6 * positionStep
    do {
        let row1 = evenColumns6(products + line, positionStep, size: size)
        let row2 = evenColumns6(products + 2 * line, positionStep, size: size)
        let row3 = evenColumns6(products + 3 * line, positionStep, size: size)
        let row4 = evenColumns6(products + 4 * line, positionStep, size: size)
        let top = evenColumns6(products, positionStep, size: size)
        let bottom = evenColumns6(products + 5 * line, positionStep, size: size)
        finishColumn6(
            size: size, top: top.first, innerSum: row1.first + row2.first, innerDifference: row1.first - row2.first,
            outerSum: row3.first + row4.first, outerDifference: row3.first - row4.first, bottom: bottom.first,
            bias: bias, residual: residual, residualRowStep: residualRowStep, to: target, rowStep: rowStep, rows: rows,
            minimum: minimum, maximum: maximum)
        if size > 2 && columns > 2 {
            finishColumn6(
                size: size, top: top.second, innerSum: row1.second + row2.second,
                innerDifference: row1.second - row2.second, outerSum: row3.second + row4.second,
                outerDifference: row3.second - row4.second, bottom: bottom.second,
                bias: bias, residual: residual + 2 * residualColumnStep, residualRowStep: residualRowStep,
                to: target + 2 * lanes, rowStep: rowStep, rows: rows, minimum: minimum, maximum: maximum)
        }
    }
    if columns > 1 {
        let row1 = oddColumns6(products + line, positionStep, size: size)
        let row2 = oddColumns6(products + 2 * line, positionStep, size: size)
        let row3 = oddColumns6(products + 3 * line, positionStep, size: size)
        let row4 = oddColumns6(products + 4 * line, positionStep, size: size)
        let top = oddColumns6(products, positionStep, size: size)
        let bottom = oddColumns6(products + 5 * line, positionStep, size: size)
        finishColumn6(
            size: size, top: top.first, innerSum: row1.first + row2.first, innerDifference: row1.first - row2.first,
            outerSum: row3.first + row4.first, outerDifference: row3.first - row4.first, bottom: bottom.first,
            bias: bias, residual: residual + residualColumnStep, residualRowStep: residualRowStep, to: target + lanes,
            rowStep: rowStep, rows: rows, minimum: minimum, maximum: maximum)
        if size > 3 && columns > 3 {
            finishColumn6(
                size: size, top: top.second, innerSum: row1.second + row2.second,
                innerDifference: row1.second - row2.second, outerSum: row3.second + row4.second,
                outerDifference: row3.second - row4.second, bottom: bottom.second,
                bias: bias, residual: residual + 3 * residualColumnStep, residualRowStep: residualRowStep,
                to: target + 3 * lanes, rowStep: rowStep, rows: rows, minimum: minimum, maximum: maximum)
        }
    }
}

// MARK: A stride of 2

/// A row of m A: the odd pixels' product of each column, and the two of the even pixels that it takes.
@_transparent private func rowOfFive(_ m: UnsafePointer<Float>, _ step: Int) -> (first: Vector, second: Vector) {
    let both = load(m + 3 * step)
    return (load(m) + load(m + 2 * step) + both, load(m + step) + load(m + 4 * step) + both)
}

@_transparent private func transformOutput5(
    _ products: UnsafePointer<Float>, positionStep: Int, bias: Vector, residual: UnsafePointer<Float>,
    residualRowStep: Int, residualColumnStep: Int, to target: UnsafeMutablePointer<Float>, rowStep: Int, rows: Int,
    columns: Int, minimum: Vector, maximum: Vector
) {
    let lanes = Vector.scalarCount
    let line = 5 * positionStep
    let both = rowOfFive(products + 3 * line, positionStep)
    let (odd, even) = (rowOfFive(products, positionStep), rowOfFive(products + 2 * line, positionStep))
    finish(
        bias + odd.first + even.first + both.first, residual: residual, to: target, minimum: minimum, maximum: maximum)
    if columns > 1 {
        finish(
            bias + odd.second + even.second + both.second, residual: residual + residualColumnStep, to: target + lanes,
            minimum: minimum, maximum: maximum)
    }
    if rows > 1 {
        let odd = rowOfFive(products + line, positionStep)
        let even = rowOfFive(products + 4 * line, positionStep)
        finish(
            bias + odd.first + even.first + both.first, residual: residual + residualRowStep, to: target + rowStep,
            minimum: minimum, maximum: maximum)
        if columns > 1 {
            finish(
                bias + odd.second + even.second + both.second,
                residual: residual + residualRowStep + residualColumnStep, to: target + rowStep + lanes,
                minimum: minimum, maximum: maximum)
        }
    }
}

// MARK: Four points

/// A row of m A.
@_transparent private func rowOfFour(_ m: UnsafePointer<Float>, _ step: Int) -> (first: Vector, second: Vector) {
    let (plus, minus) = (load(m + step), load(m + 2 * step))
    return (load(m) + plus + minus, load(m + 3 * step) + plus - minus)
}

@_transparent private func transformOutput4(
    _ products: UnsafePointer<Float>, positionStep: Int, bias: Vector, residual: UnsafePointer<Float>,
    residualRowStep: Int, residualColumnStep: Int, to target: UnsafeMutablePointer<Float>, rowStep: Int, rows: Int,
    columns: Int,
    minimum: Vector, maximum: Vector
) {
    let lanes = Vector.scalarCount
    let line = 4 * positionStep
    let plus = rowOfFour(products + line, positionStep)
    let minus = rowOfFour(products + 2 * line, positionStep)
    let top = rowOfFour(products, positionStep)
    let bottom = rowOfFour(products + 3 * line, positionStep)
    finish(
        bias + top.first + plus.first + minus.first, residual: residual, to: target, minimum: minimum,
        maximum: maximum)
    if columns > 1 {
        finish(
            bias + top.second + plus.second + minus.second, residual: residual + residualColumnStep, to: target + lanes,
            minimum: minimum, maximum: maximum)
    }
    if rows > 1 {
        finish(
            bias + bottom.first + plus.first - minus.first, residual: residual + residualRowStep,
            to: target + rowStep, minimum: minimum, maximum: maximum)
        if columns > 1 {
            finish(
                bias + bottom.second + plus.second - minus.second,
                residual: residual + residualRowStep + residualColumnStep, to: target + rowStep + lanes,
                minimum: minimum, maximum: maximum)
        }
    }
}
