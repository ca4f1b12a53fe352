// Winograd's minimal filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016) for 3x3 kernels
// of stride 1: with d a tile of the input, g a kernel, the tile of the output is A^T [(G g G^T) * (B^T d B)] A. These are
// the B^T d B; `WinogradOutput.swift` has the A^T m A and `WinogradWeights.swift` of the inference room the G g G^T.
//
// F(4x4, 3x3) interpolates at 0, +-5/8, +-3/2 and infinity: all the constants are exact in single precision, and the
// error is a fifth of that of the usual 0, +-1, +-2. F(2x2, 3x3) interpolates at 0, +-1 and infinity.
//
// A tile has more values than the registers hold. The transform by columns is therefore done for one or two rows of the
// result at a time, from the input again, and the transform by rows follows at once: no arithmetic is done twice, and
// nothing is put aside in memory.

/// B^T d B of F(4x4, 3x3) for a run of tiles of one channel block.
///
/// A tile is 6 x 6 pixels, the tiles lie 4 pixels apart; they are counted row by row. The input must be readable for the
/// whole of each tile.
///
/// - Parameters:
///   - input: What tap (0, 0) sees at output pixel (0, 0); pixels are vectors.
///   - inputRowStep: Floats between the rows of the input.
///   - tilesPerRow: The tiles side by side in the image.
///   - firstTile: The first tile to transform.
///   - tileCount: The number of tiles to transform.
///   - output: The vectors of position (0, 0), tile after tile from `firstTile` on.
///   - positionStep: Floats between the vectors of neighbouring positions, of which there are 6 x 6.
public func winogradInput4(
    input: UnsafePointer<Float>, inputRowStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
    output: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    var column = firstTile % tilesPerRow
    var row = input + (firstTile / tilesPerRow) * 4 * inputRowStep
    var target = output
    for _ in 0..<tileCount {
        transformInput4(row + column * 4 * lanes, rowStep: inputRowStep, to: target, positionStep: positionStep)
        target += lanes
        column += 1
        if column == tilesPerRow {
            column = 0
            row += 4 * inputRowStep
        }
    }
}

/// B^T d B of F(2x2, 3x3) for a run of tiles of one channel block.
///
/// A tile is 4 x 4 pixels, the tiles lie 2 pixels apart; they are counted row by row. The input must be readable for the
/// whole of each tile.
///
/// - Parameters:
///   - input: What tap (0, 0) sees at output pixel (0, 0); pixels are vectors.
///   - inputRowStep: Floats between the rows of the input.
///   - tilesPerRow: The tiles side by side in the image.
///   - firstTile: The first tile to transform.
///   - tileCount: The number of tiles to transform.
///   - output: The vectors of position (0, 0), tile after tile from `firstTile` on.
///   - positionStep: Floats between the vectors of neighbouring positions, of which there are 4 x 4.
public func winogradInput2(
    input: UnsafePointer<Float>, inputRowStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
    output: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    var column = firstTile % tilesPerRow
    var row = input + (firstTile / tilesPerRow) * 2 * inputRowStep
    var target = output
    for _ in 0..<tileCount {
        transformInput2(row + column * 2 * lanes, rowStep: inputRowStep, to: target, positionStep: positionStep)
        target += lanes
        column += 1
        if column == tilesPerRow {
            column = 0
            row += 2 * inputRowStep
        }
    }
}

// MARK: F(4x4, 3x3)

/// The first row of B^T, a^2 b^2, 0, -(a^2 + b^2), 0, 1, which is also the last, one element on.
@_transparent private func edge4(_ d0: Vector, _ d2: Vector, _ d4: Vector) -> Vector {
    multiplyAdd(multiplyAdd(d4, Vector(repeating: -2.640625), d2), Vector(repeating: 0.87890625), d0)
}

/// The two rows of B^T for the points a and -a.
@_transparent private func inner4(
    _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector
) -> (plus: Vector, minus: Vector) {
    let even = multiplyAdd(d4, Vector(repeating: -2.25), d2)
    let odd = multiplyAdd(d3, Vector(repeating: -2.25), d1)
    return (
        multiplyAdd(even, Vector(repeating: 0.625), odd), multiplyAdd(even, Vector(repeating: -0.625), odd)
    )
}

/// The two rows of B^T for the points b and -b.
@_transparent private func outer4(
    _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector
) -> (plus: Vector, minus: Vector) {
    let even = multiplyAdd(d4, Vector(repeating: -0.390625), d2)
    let odd = multiplyAdd(d3, Vector(repeating: -0.390625), d1)
    return (multiplyAdd(even, Vector(repeating: 1.5), odd), multiplyAdd(even, Vector(repeating: -1.5), odd))
}

/// Transforms a row and stores its six positions.
@_transparent private func storeRow4(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector, _ d5: Vector,
    to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let inner = inner4(d1, d2, d3, d4)
    let outer = outer4(d1, d2, d3, d4)
    store(edge4(d0, d2, d4), to: target)
    store(inner.plus, to: target + positionStep)
    store(inner.minus, to: target + 2 * positionStep)
    store(outer.plus, to: target + 3 * positionStep)
    store(outer.minus, to: target + 4 * positionStep)
    store(edge4(d1, d3, d5), to: target + 5 * positionStep)
}

/// `edge4` of a column of pixels.
@_transparent private func edgeColumn4(_ pixel: UnsafePointer<Float>, _ rowStep: Int) -> Vector {
    edge4(load(pixel), load(pixel + 2 * rowStep), load(pixel + 4 * rowStep))
}

/// `inner4` of a column of pixels.
@_transparent private func innerColumn4(
    _ pixel: UnsafePointer<Float>, _ rowStep: Int
) -> (plus: Vector, minus: Vector) {
    inner4(load(pixel + rowStep), load(pixel + 2 * rowStep), load(pixel + 3 * rowStep), load(pixel + 4 * rowStep))
}

/// `outer4` of a column of pixels.
@_transparent private func outerColumn4(
    _ pixel: UnsafePointer<Float>, _ rowStep: Int
) -> (plus: Vector, minus: Vector) {
    outer4(load(pixel + rowStep), load(pixel + 2 * rowStep), load(pixel + 3 * rowStep), load(pixel + 4 * rowStep))
}

@_transparent private func transformInput4(
    _ tile: UnsafePointer<Float>, rowStep: Int, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    storeRow4(
        edgeColumn4(tile, rowStep), edgeColumn4(tile + lanes, rowStep), edgeColumn4(tile + 2 * lanes, rowStep),
        edgeColumn4(tile + 3 * lanes, rowStep), edgeColumn4(tile + 4 * lanes, rowStep),
        edgeColumn4(tile + 5 * lanes, rowStep), to: target, positionStep: positionStep)

    let inner0 = innerColumn4(tile, rowStep)
    let inner1 = innerColumn4(tile + lanes, rowStep)
    let inner2 = innerColumn4(tile + 2 * lanes, rowStep)
    let inner3 = innerColumn4(tile + 3 * lanes, rowStep)
    let inner4 = innerColumn4(tile + 4 * lanes, rowStep)
    let inner5 = innerColumn4(tile + 5 * lanes, rowStep)
    storeRow4(
        inner0.plus, inner1.plus, inner2.plus, inner3.plus, inner4.plus, inner5.plus,
        to: target + 6 * positionStep, positionStep: positionStep)
    storeRow4(
        inner0.minus, inner1.minus, inner2.minus, inner3.minus, inner4.minus, inner5.minus,
        to: target + 12 * positionStep, positionStep: positionStep)

    let outer0 = outerColumn4(tile, rowStep)
    let outer1 = outerColumn4(tile + lanes, rowStep)
    let outer2 = outerColumn4(tile + 2 * lanes, rowStep)
    let outer3 = outerColumn4(tile + 3 * lanes, rowStep)
    let outer4 = outerColumn4(tile + 4 * lanes, rowStep)
    let outer5 = outerColumn4(tile + 5 * lanes, rowStep)
    storeRow4(
        outer0.plus, outer1.plus, outer2.plus, outer3.plus, outer4.plus, outer5.plus,
        to: target + 18 * positionStep, positionStep: positionStep)
    storeRow4(
        outer0.minus, outer1.minus, outer2.minus, outer3.minus, outer4.minus, outer5.minus,
        to: target + 24 * positionStep, positionStep: positionStep)

    let below = tile + rowStep
    storeRow4(
        edgeColumn4(below, rowStep), edgeColumn4(below + lanes, rowStep), edgeColumn4(below + 2 * lanes, rowStep),
        edgeColumn4(below + 3 * lanes, rowStep), edgeColumn4(below + 4 * lanes, rowStep),
        edgeColumn4(below + 5 * lanes, rowStep), to: target + 30 * positionStep, positionStep: positionStep)
}

// MARK: F(2x2, 3x3)

/// Transforms a row and stores its four positions.
@_transparent private func storeRow2(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    store(d0 - d2, to: target)
    store(d1 + d2, to: target + positionStep)
    store(d2 - d1, to: target + 2 * positionStep)
    store(d3 - d1, to: target + 3 * positionStep)
}

@_transparent private func transformInput2(
    _ tile: UnsafePointer<Float>, rowStep: Int, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    let (row1, row2, row3) = (tile + rowStep, tile + 2 * rowStep, tile + 3 * rowStep)
    storeRow2(
        load(tile) - load(row2), load(tile + lanes) - load(row2 + lanes),
        load(tile + 2 * lanes) - load(row2 + 2 * lanes), load(tile + 3 * lanes) - load(row2 + 3 * lanes),
        to: target, positionStep: positionStep)
    storeRow2(
        load(row1) + load(row2), load(row1 + lanes) + load(row2 + lanes),
        load(row1 + 2 * lanes) + load(row2 + 2 * lanes), load(row1 + 3 * lanes) + load(row2 + 3 * lanes),
        to: target + 4 * positionStep, positionStep: positionStep)
    storeRow2(
        load(row2) - load(row1), load(row2 + lanes) - load(row1 + lanes),
        load(row2 + 2 * lanes) - load(row1 + 2 * lanes), load(row2 + 3 * lanes) - load(row1 + 3 * lanes),
        to: target + 8 * positionStep, positionStep: positionStep)
    storeRow2(
        load(row3) - load(row1), load(row3 + lanes) - load(row1 + lanes),
        load(row3 + 2 * lanes) - load(row1 + 2 * lanes), load(row3 + 3 * lanes) - load(row1 + 3 * lanes),
        to: target + 12 * positionStep, positionStep: positionStep)
}
