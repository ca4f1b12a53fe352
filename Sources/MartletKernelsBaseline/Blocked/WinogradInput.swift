// Winograd's minimal filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016) for r x r
// kernels of stride 1: with d a tile of the input, g a kernel, the m x m tile of the output is A^T [(G g G^T) * (B^T d B)] A.
// These are the B^T d B; `WinogradOutput.swift` has the A^T m A and `WinogradWeights.swift` of the inference room the
// G g G^T.
//
// m + r - 1 points of interpolation serve every m and r of that sum, and B depends on the points alone. Six points, 0, +-5/8,
// +-3/2 and infinity, are F(4x4, 3x3), F(3x3, 4x4) and F(2x2, 5x5): all the constants are exact in single precision, and
// the error is a fifth of that of the usual 0, +-1, +-2. Four points, 0, +-1 and infinity, are F(2x2, 3x3).
//
// A stride of 2 splits a kernel of three taps along each axis into two of stride 1: taps 0 and 2 see the even pixels, tap 1
// the odd ones. The first is F(2, 2) of the points 0, 1 and infinity, the second is two products as they are: five in place of six,
// without any constants. (Yepez and Ko, "Stride 2 1-D, 2-D, and 3-D Winograd for convolutional neural networks", 2020.)
//
// A tile has more values than the registers hold. The transform by columns is therefore done for one or two rows of the
// result at a time, from the input again, and the transform by rows follows at once: no arithmetic is done twice, and
// nothing is put aside in memory.

/// B^T d B for a run of tiles of one channel block.
///
/// A tile is points x points pixels; they are counted row by row. The input must be readable for the whole of each tile.
///
/// - Parameters:
///   - points: The pixels of a tile and the positions along one side: 6 or 4, and 5 for the stride of 2.
///   - input: What tap (0, 0) sees at output pixel (0, 0); pixels are vectors.
///   - inputRowStep: Floats between the rows of the input.
///   - tileSize: Pixels from one tile to the next: the outputs of a tile along one side, times the stride.
///   - tilesPerRow: The tiles side by side in the image.
///   - firstTile: The first tile to transform.
///   - tileCount: The number of tiles to transform.
///   - output: The vectors of position (0, 0), tile after tile from `firstTile` on.
///   - positionStep: Floats between the vectors of neighbouring positions, of which there are points x points.
public func winogradInput(
    points: Int, input: UnsafePointer<Float>, inputRowStep: Int, tileSize: Int, tilesPerRow: Int, firstTile: Int,
    tileCount: Int, output: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let tileStep = tileSize * Vector.scalarCount
    var column = firstTile % tilesPerRow
    var row = input + (firstTile / tilesPerRow) * tileSize * inputRowStep
    var target = output
    for _ in 0..<tileCount {
        let tile = row + column * tileStep
        if points == 6 {
            transformInput6(tile, rowStep: inputRowStep, to: target, positionStep: positionStep)
        } else if points == 5 {
            transformInput5(tile, rowStep: inputRowStep, to: target, positionStep: positionStep)
        } else {
            transformInput4(tile, rowStep: inputRowStep, to: target, positionStep: positionStep)
        }
        target += Vector.scalarCount
        column += 1
        if column == tilesPerRow {
            column = 0
            row += tileSize * inputRowStep
        }
    }
}

// MARK: Six points

/// The first row of B^T, a^2 b^2, 0, -(a^2 + b^2), 0, 1, which is also the last, one element on.
@_transparent private func edge6(_ d0: Vector, _ d2: Vector, _ d4: Vector) -> Vector {
    multiplyAdd(multiplyAdd(d4, Vector(repeating: -2.640625), d2), Vector(repeating: 0.87890625), d0)
}

/// The two rows of B^T for the points a and -a.
@_transparent private func inner6(
    _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector
) -> (plus: Vector, minus: Vector) {
    let even = multiplyAdd(d4, Vector(repeating: -2.25), d2)
    let odd = multiplyAdd(d3, Vector(repeating: -2.25), d1)
    return (
        multiplyAdd(even, Vector(repeating: 0.625), odd), multiplyAdd(even, Vector(repeating: -0.625), odd)
    )
}

/// The two rows of B^T for the points b and -b.
@_transparent private func outer6(
    _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector
) -> (plus: Vector, minus: Vector) {
    let even = multiplyAdd(d4, Vector(repeating: -0.390625), d2)
    let odd = multiplyAdd(d3, Vector(repeating: -0.390625), d1)
    return (multiplyAdd(even, Vector(repeating: 1.5), odd), multiplyAdd(even, Vector(repeating: -1.5), odd))
}

/// Transforms a row and stores its six positions.
@_transparent private func storeRow6(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector, _ d5: Vector,
    to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let inner = inner6(d1, d2, d3, d4)
    let outer = outer6(d1, d2, d3, d4)
    store(edge6(d0, d2, d4), to: target)
    store(inner.plus, to: target + positionStep)
    store(inner.minus, to: target + 2 * positionStep)
    store(outer.plus, to: target + 3 * positionStep)
    store(outer.minus, to: target + 4 * positionStep)
    store(edge6(d1, d3, d5), to: target + 5 * positionStep)
}

/// `edge6` of a column of pixels.
@_transparent private func edgeColumn6(_ pixel: UnsafePointer<Float>, _ rowStep: Int) -> Vector {
    edge6(load(pixel), load(pixel + 2 * rowStep), load(pixel + 4 * rowStep))
}

/// `inner6` of a column of pixels.
@_transparent private func innerColumn6(
    _ pixel: UnsafePointer<Float>, _ rowStep: Int
) -> (plus: Vector, minus: Vector) {
    inner6(load(pixel + rowStep), load(pixel + 2 * rowStep), load(pixel + 3 * rowStep), load(pixel + 4 * rowStep))
}

/// `outer6` of a column of pixels.
@_transparent private func outerColumn6(
    _ pixel: UnsafePointer<Float>, _ rowStep: Int
) -> (plus: Vector, minus: Vector) {
    outer6(load(pixel + rowStep), load(pixel + 2 * rowStep), load(pixel + 3 * rowStep), load(pixel + 4 * rowStep))
}

@_transparent private func transformInput6(
    _ tile: UnsafePointer<Float>, rowStep: Int, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    storeRow6(
        edgeColumn6(tile, rowStep), edgeColumn6(tile + lanes, rowStep), edgeColumn6(tile + 2 * lanes, rowStep),
        edgeColumn6(tile + 3 * lanes, rowStep), edgeColumn6(tile + 4 * lanes, rowStep),
        edgeColumn6(tile + 5 * lanes, rowStep), to: target, positionStep: positionStep)

    let inner0 = innerColumn6(tile, rowStep)
    let inner1 = innerColumn6(tile + lanes, rowStep)
    let inner2 = innerColumn6(tile + 2 * lanes, rowStep)
    let inner3 = innerColumn6(tile + 3 * lanes, rowStep)
    let inner4 = innerColumn6(tile + 4 * lanes, rowStep)
    let inner5 = innerColumn6(tile + 5 * lanes, rowStep)
    storeRow6(
        inner0.plus, inner1.plus, inner2.plus, inner3.plus, inner4.plus, inner5.plus,
        to: target + 6 * positionStep, positionStep: positionStep)
    storeRow6(
        inner0.minus, inner1.minus, inner2.minus, inner3.minus, inner4.minus, inner5.minus,
        to: target + 12 * positionStep, positionStep: positionStep)

    let outer0 = outerColumn6(tile, rowStep)
    let outer1 = outerColumn6(tile + lanes, rowStep)
    let outer2 = outerColumn6(tile + 2 * lanes, rowStep)
    let outer3 = outerColumn6(tile + 3 * lanes, rowStep)
    let outer4 = outerColumn6(tile + 4 * lanes, rowStep)
    let outer5 = outerColumn6(tile + 5 * lanes, rowStep)
    storeRow6(
        outer0.plus, outer1.plus, outer2.plus, outer3.plus, outer4.plus, outer5.plus,
        to: target + 18 * positionStep, positionStep: positionStep)
    storeRow6(
        outer0.minus, outer1.minus, outer2.minus, outer3.minus, outer4.minus, outer5.minus,
        to: target + 24 * positionStep, positionStep: positionStep)

    let below = tile + rowStep
    storeRow6(
        edgeColumn6(below, rowStep), edgeColumn6(below + lanes, rowStep), edgeColumn6(below + 2 * lanes, rowStep),
        edgeColumn6(below + 3 * lanes, rowStep), edgeColumn6(below + 4 * lanes, rowStep),
        edgeColumn6(below + 5 * lanes, rowStep), to: target + 30 * positionStep, positionStep: positionStep)
}

// MARK: A stride of 2

/// Transforms a row and stores its five positions: the two of the odd pixels, then the three of the even ones.
@_transparent private func storeRow5(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector, to target: UnsafeMutablePointer<Float>,
    positionStep: Int
) {
    store(d1, to: target)
    store(d3, to: target + positionStep)
    store(d0 - d2, to: target + 2 * positionStep)
    store(d2, to: target + 3 * positionStep)
    store(d4 - d2, to: target + 4 * positionStep)
}

/// `storeRow5` of a row of pixels.
@_transparent private func storePixels5(
    _ row: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    storeRow5(
        load(row), load(row + lanes), load(row + 2 * lanes), load(row + 3 * lanes), load(row + 4 * lanes), to: target,
        positionStep: positionStep)
}

/// `storeRow5` of the difference of two rows of pixels.
@_transparent private func storeDifferences5(
    _ row: UnsafePointer<Float>, _ other: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>,
    positionStep: Int
) {
    let lanes = Vector.scalarCount
    storeRow5(
        load(row) - load(other), load(row + lanes) - load(other + lanes),
        load(row + 2 * lanes) - load(other + 2 * lanes), load(row + 3 * lanes) - load(other + 3 * lanes),
        load(row + 4 * lanes) - load(other + 4 * lanes), to: target, positionStep: positionStep)
}

@_transparent private func transformInput5(
    _ tile: UnsafePointer<Float>, rowStep: Int, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let (line, middle) = (5 * positionStep, tile + 2 * rowStep)
    storePixels5(tile + rowStep, to: target, positionStep: positionStep)
    storePixels5(tile + 3 * rowStep, to: target + line, positionStep: positionStep)
    storeDifferences5(tile, middle, to: target + 2 * line, positionStep: positionStep)
    storePixels5(middle, to: target + 3 * line, positionStep: positionStep)
    storeDifferences5(tile + 4 * rowStep, middle, to: target + 4 * line, positionStep: positionStep)
}

// MARK: Four points

/// Transforms a row and stores its four positions.
@_transparent private func storeRow4(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    store(d0 - d2, to: target)
    store(d1 + d2, to: target + positionStep)
    store(d2 - d1, to: target + 2 * positionStep)
    store(d3 - d1, to: target + 3 * positionStep)
}

@_transparent private func transformInput4(
    _ tile: UnsafePointer<Float>, rowStep: Int, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    let (row1, row2, row3) = (tile + rowStep, tile + 2 * rowStep, tile + 3 * rowStep)
    storeRow4(
        load(tile) - load(row2), load(tile + lanes) - load(row2 + lanes),
        load(tile + 2 * lanes) - load(row2 + 2 * lanes), load(tile + 3 * lanes) - load(row2 + 3 * lanes),
        to: target, positionStep: positionStep)
    storeRow4(
        load(row1) + load(row2), load(row1 + lanes) + load(row2 + lanes),
        load(row1 + 2 * lanes) + load(row2 + 2 * lanes), load(row1 + 3 * lanes) + load(row2 + 3 * lanes),
        to: target + 4 * positionStep, positionStep: positionStep)
    storeRow4(
        load(row2) - load(row1), load(row2 + lanes) - load(row1 + lanes),
        load(row2 + 2 * lanes) - load(row1 + 2 * lanes), load(row2 + 3 * lanes) - load(row1 + 3 * lanes),
        to: target + 8 * positionStep, positionStep: positionStep)
    storeRow4(
        load(row3) - load(row1), load(row3 + lanes) - load(row1 + lanes),
        load(row3 + 2 * lanes) - load(row1 + 2 * lanes), load(row3 + 3 * lanes) - load(row1 + 3 * lanes),
        to: target + 12 * positionStep, positionStep: positionStep)
}
