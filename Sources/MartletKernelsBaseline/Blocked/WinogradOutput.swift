// A^T m A of Winograd's minimal filtering; `WinogradInput.swift` says which.
//
// A^T's rows for the points +-a and +-b take only the sums of two products or only their differences: the even columns of
// a tile need the sums, the odd ones the differences. A tile of F(4x4, 3x3) is done in these two halves, each of which the
// registers of every instruction set hold.

/// A^T m A of F(4x4, 3x3) for a run of tiles of one output block, with the layer's end: `clamp(y + bias + residual)`.
///
/// - Parameters:
///   - products: The vectors of position (0, 0), tile after tile from `firstTile` on.
///   - positionStep: Floats between the vectors of neighbouring positions, of which there are 6 x 6.
///   - tilesPerRow: The tiles of 4 x 4 pixels side by side in the image.
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
public func winogradOutput4(
    products: UnsafePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
    bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?, residualRowStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputRows: Int, outputColumns: Int, minimum: Float,
    maximum: Float
) {
    let lanes = Vector.scalarCount
    // Without a residual, the bias takes its place for every pixel: one way for both, without a branch a pixel.
    let residualRowStep = residual == nil ? 0 : residualRowStep
    let residualColumnStep = residual == nil ? 0 : lanes
    let first = residual == nil ? Vector(repeating: 0) : load(bias)
    let residual = residual ?? bias
    let (minimum, maximum) = (Vector(repeating: minimum), Vector(repeating: maximum))
    var row = firstTile / tilesPerRow * 4
    var column = firstTile % tilesPerRow * 4
    var source = products
    for _ in 0..<tileCount {
        let (rows, columns) = (outputRows - row, outputColumns - column)
        let target = output + row * outputRowStep + column * lanes
        let addend = residual + row * residualRowStep + column * residualColumnStep
        if rows >= 4 && columns >= 4 {
            transformOutput4(
                source, positionStep: positionStep, bias: first, residual: addend, residualRowStep: residualRowStep,
                residualColumnStep: residualColumnStep,
                to: target, rowStep: outputRowStep, rows: 4, columns: 4, minimum: minimum, maximum: maximum)
        } else {
            transformOutput4(
                source, positionStep: positionStep, bias: first, residual: addend, residualRowStep: residualRowStep,
                residualColumnStep: residualColumnStep,
                to: target, rowStep: outputRowStep, rows: rows, columns: columns, minimum: minimum, maximum: maximum)
        }
        source += lanes
        column += 4
        if column == tilesPerRow * 4 {
            column = 0
            row += 4
        }
    }
}

/// A^T m A of F(2x2, 3x3) for a run of tiles of one output block, with the layer's end: `clamp(y + bias + residual)`.
///
/// - Parameters:
///   - products: The vectors of position (0, 0), tile after tile from `firstTile` on.
///   - positionStep: Floats between the vectors of neighbouring positions, of which there are 4 x 4.
///   - tilesPerRow: The tiles of 2 x 2 pixels side by side in the image.
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
public func winogradOutput2(
    products: UnsafePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
    bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?, residualRowStep: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputRows: Int, outputColumns: Int, minimum: Float,
    maximum: Float
) {
    let lanes = Vector.scalarCount
    // Without a residual, the bias takes its place for every pixel: one way for both, without a branch a pixel.
    let residualRowStep = residual == nil ? 0 : residualRowStep
    let residualColumnStep = residual == nil ? 0 : lanes
    let first = residual == nil ? Vector(repeating: 0) : load(bias)
    let residual = residual ?? bias
    let (minimum, maximum) = (Vector(repeating: minimum), Vector(repeating: maximum))
    var row = firstTile / tilesPerRow * 2
    var column = firstTile % tilesPerRow * 2
    var source = products
    for _ in 0..<tileCount {
        let (rows, columns) = (outputRows - row, outputColumns - column)
        let target = output + row * outputRowStep + column * lanes
        let addend = residual + row * residualRowStep + column * residualColumnStep
        if rows >= 2 && columns >= 2 {
            transformOutput2(
                source, positionStep: positionStep, bias: first, residual: addend, residualRowStep: residualRowStep,
                residualColumnStep: residualColumnStep,
                to: target, rowStep: outputRowStep, rows: 2, columns: 2, minimum: minimum, maximum: maximum)
        } else {
            transformOutput2(
                source, positionStep: positionStep, bias: first, residual: addend, residualRowStep: residualRowStep,
                residualColumnStep: residualColumnStep,
                to: target, rowStep: outputRowStep, rows: rows, columns: columns, minimum: minimum, maximum: maximum)
        }
        source += lanes
        column += 2
        if column == tilesPerRow * 2 {
            column = 0
            row += 2
        }
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

// MARK: F(4x4, 3x3)

/// Columns 0 and 2 of a row of m A.
@_transparent private func evenColumns4(
    _ m: UnsafePointer<Float>, _ step: Int
) -> (first: Vector, second: Vector) {
    let inner = load(m + step) + load(m + 2 * step)
    let outer = load(m + 3 * step) + load(m + 4 * step)
    return (
        load(m) + inner + outer,
        multiplyAdd(inner * Vector(repeating: 0.390625), Vector(repeating: 2.25), outer)
    )
}

/// Columns 1 and 3 of a row of m A.
@_transparent private func oddColumns4(
    _ m: UnsafePointer<Float>, _ step: Int
) -> (first: Vector, second: Vector) {
    let inner = load(m + step) - load(m + 2 * step)
    let outer = load(m + 3 * step) - load(m + 4 * step)
    return (
        multiplyAdd(inner * Vector(repeating: 0.625), Vector(repeating: 1.5), outer),
        multiplyAdd(
            multiplyAdd(load(m + 5 * step), Vector(repeating: 0.244140625), inner), Vector(repeating: 3.375), outer)
    )
}

/// A column of A^T (m A), from the rows of m A: the first, the sums and differences of those for the points +-a and +-b,
/// and the last.
@_transparent private func finishColumn4(
    top: Vector, innerSum: Vector, innerDifference: Vector, outerSum: Vector, outerDifference: Vector, bottom: Vector,
    bias: Vector, residual: UnsafePointer<Float>, residualRowStep: Int, to target: UnsafeMutablePointer<Float>,
    rowStep: Int, rows: Int, minimum: Vector, maximum: Vector
) {
    finish(
        bias + top + innerSum + outerSum, residual: residual, to: target, minimum: minimum, maximum: maximum)
    if rows > 1 {
        finish(
            multiplyAdd(
                multiplyAdd(bias, Vector(repeating: 0.625), innerDifference), Vector(repeating: 1.5), outerDifference),
            residual: residual + residualRowStep, to: target + rowStep, minimum: minimum, maximum: maximum)
    }
    if rows > 2 {
        finish(
            multiplyAdd(
                multiplyAdd(bias, Vector(repeating: 0.390625), innerSum), Vector(repeating: 2.25), outerSum),
            residual: residual + 2 * residualRowStep, to: target + 2 * rowStep, minimum: minimum,
            maximum: maximum)
    }
    if rows > 3 {
        finish(
            multiplyAdd(
                multiplyAdd(bias + bottom, Vector(repeating: 0.244140625), innerDifference),
                Vector(repeating: 3.375), outerDifference),
            residual: residual + 3 * residualRowStep, to: target + 3 * rowStep, minimum: minimum,
            maximum: maximum)
    }
}

@_transparent private func transformOutput4(
    _ products: UnsafePointer<Float>, positionStep: Int, bias: Vector, residual: UnsafePointer<Float>,
    residualRowStep: Int, residualColumnStep: Int, to target: UnsafeMutablePointer<Float>, rowStep: Int, rows: Int,
    columns: Int,
    minimum: Vector, maximum: Vector
) {
    let lanes = Vector.scalarCount
    let line = 6 * positionStep
    do {
        let row1 = evenColumns4(products + line, positionStep)
        let row2 = evenColumns4(products + 2 * line, positionStep)
        let row3 = evenColumns4(products + 3 * line, positionStep)
        let row4 = evenColumns4(products + 4 * line, positionStep)
        let top = evenColumns4(products, positionStep)
        let bottom = evenColumns4(products + 5 * line, positionStep)
        finishColumn4(
            top: top.first, innerSum: row1.first + row2.first, innerDifference: row1.first - row2.first,
            outerSum: row3.first + row4.first, outerDifference: row3.first - row4.first, bottom: bottom.first,
            bias: bias, residual: residual, residualRowStep: residualRowStep, to: target, rowStep: rowStep, rows: rows,
            minimum: minimum, maximum: maximum)
        if columns > 2 {
            finishColumn4(
                top: top.second, innerSum: row1.second + row2.second, innerDifference: row1.second - row2.second,
                outerSum: row3.second + row4.second, outerDifference: row3.second - row4.second, bottom: bottom.second,
                bias: bias, residual: residual + 2 * residualColumnStep, residualRowStep: residualRowStep,
                to: target + 2 * lanes, rowStep: rowStep, rows: rows, minimum: minimum, maximum: maximum)
        }
    }
    if columns > 1 {
        let row1 = oddColumns4(products + line, positionStep)
        let row2 = oddColumns4(products + 2 * line, positionStep)
        let row3 = oddColumns4(products + 3 * line, positionStep)
        let row4 = oddColumns4(products + 4 * line, positionStep)
        let top = oddColumns4(products, positionStep)
        let bottom = oddColumns4(products + 5 * line, positionStep)
        finishColumn4(
            top: top.first, innerSum: row1.first + row2.first, innerDifference: row1.first - row2.first,
            outerSum: row3.first + row4.first, outerDifference: row3.first - row4.first, bottom: bottom.first,
            bias: bias, residual: residual + residualColumnStep, residualRowStep: residualRowStep, to: target + lanes,
            rowStep: rowStep, rows: rows, minimum: minimum, maximum: maximum)
        if columns > 3 {
            finishColumn4(
                top: top.second, innerSum: row1.second + row2.second, innerDifference: row1.second - row2.second,
                outerSum: row3.second + row4.second, outerDifference: row3.second - row4.second, bottom: bottom.second,
                bias: bias, residual: residual + 3 * residualColumnStep, residualRowStep: residualRowStep,
                to: target + 3 * lanes, rowStep: rowStep, rows: rows, minimum: minimum, maximum: maximum)
        }
    }
}

// MARK: F(2x2, 3x3)

/// A row of m A.
@_transparent private func row2(_ m: UnsafePointer<Float>, _ step: Int) -> (first: Vector, second: Vector) {
    let (plus, minus) = (load(m + step), load(m + 2 * step))
    return (load(m) + plus + minus, load(m + 3 * step) + plus - minus)
}

@_transparent private func transformOutput2(
    _ products: UnsafePointer<Float>, positionStep: Int, bias: Vector, residual: UnsafePointer<Float>,
    residualRowStep: Int, residualColumnStep: Int, to target: UnsafeMutablePointer<Float>, rowStep: Int, rows: Int,
    columns: Int,
    minimum: Vector, maximum: Vector
) {
    let lanes = Vector.scalarCount
    let line = 4 * positionStep
    let plus = row2(products + line, positionStep)
    let minus = row2(products + 2 * line, positionStep)
    let top = row2(products, positionStep)
    let bottom = row2(products + 3 * line, positionStep)
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
