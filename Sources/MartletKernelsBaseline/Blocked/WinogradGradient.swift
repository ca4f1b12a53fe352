// The gradient of a 3x3 convolution of stride 1 by its kernel, by Winograd's minimal filtering: `WinogradInput.swift` says
// what A, B and G are. The output y = A^T [(G g G^T) * (B^T d B)] A is linear in g, and what takes the gradient by y to that by
// g is the transpose: G^T [sum over tiles of (A dy A^T) * (B^T d B)] G. Here are A dy A^T and the G^T m G; the sums of
// products between them are `blockProducts`, one for each position, of F(4x4, 3x3).

// MARK: A dy A^T

/// A dy A^T for a run of tiles of one channel block.
///
/// A tile is 4x4 pixels; what of it lies past the image must be zero. Its 6x6 positions are counted row by row.
///
/// - Parameters:
///   - gradient: Pixel (0, 0) of the gradient by the output; pixels are vectors.
///   - gradientRowStep: Floats between its rows.
///   - tilesPerRow: The tiles side by side.
///   - tileCount: The number of tiles to transform, from the first on, row by row.
///   - output: The vectors of position (0, 0), tile after tile.
///   - positionStep: Floats between the vectors of neighbouring positions.
public func winogradGradient(
    gradient: UnsafePointer<Float>, gradientRowStep: Int, tilesPerRow: Int, tileCount: Int,
    output: UnsafeMutablePointer<Float>, positionStep: Int
) {
    var column = 0
    var row = gradient
    var target = output
    for _ in 0..<tileCount {
        transformGradient(
            row + column * 4 * Vector.scalarCount, rowStep: gradientRowStep, to: target, positionStep: positionStep)
        target += Vector.scalarCount
        column += 1
        if column == tilesPerRow {
            column = 0
            row += 4 * gradientRowStep
        }
    }
}

/// The rows of A for the points a and -a: 1, +-a, a^2, +-a^3.
@_transparent private func innerPair(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector
) -> (plus: Vector, minus: Vector) {
    let even = multiplyAdd(d0, Vector(repeating: 0.390625), d2)
    let odd = multiplyAdd(d1 * Vector(repeating: 0.625), Vector(repeating: 0.244140625), d3)
    return (even + odd, even - odd)
}

/// The rows of A for the points b and -b.
@_transparent private func outerPair(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector
) -> (plus: Vector, minus: Vector) {
    let even = multiplyAdd(d0, Vector(repeating: 2.25), d2)
    let odd = multiplyAdd(d1 * Vector(repeating: 1.5), Vector(repeating: 3.375), d3)
    return (even + odd, even - odd)
}

/// Transforms a row of four and stores its six positions.
@_transparent private func storeGradientRow(
    _ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let inner = innerPair(d0, d1, d2, d3)
    let outer = outerPair(d0, d1, d2, d3)
    store(d0, to: target)
    store(inner.plus, to: target + positionStep)
    store(inner.minus, to: target + 2 * positionStep)
    store(outer.plus, to: target + 3 * positionStep)
    store(outer.minus, to: target + 4 * positionStep)
    store(d3, to: target + 5 * positionStep)
}

@_transparent private func innerColumn(
    _ pixel: UnsafePointer<Float>, _ rowStep: Int
) -> (plus: Vector, minus: Vector) {
    innerPair(load(pixel), load(pixel + rowStep), load(pixel + 2 * rowStep), load(pixel + 3 * rowStep))
}

@_transparent private func outerColumn(
    _ pixel: UnsafePointer<Float>, _ rowStep: Int
) -> (plus: Vector, minus: Vector) {
    outerPair(load(pixel), load(pixel + rowStep), load(pixel + 2 * rowStep), load(pixel + 3 * rowStep))
}

/// As in `WinogradInput.swift`, a row or two of the result at a time: more would not stay in the registers.
@_transparent private func transformGradient(
    _ tile: UnsafePointer<Float>, rowStep: Int, to target: UnsafeMutablePointer<Float>, positionStep: Int
) {
    let lanes = Vector.scalarCount
    storeGradientRow(
        load(tile), load(tile + lanes), load(tile + 2 * lanes), load(tile + 3 * lanes), to: target,
        positionStep: positionStep)

    let inner0 = innerColumn(tile, rowStep)
    let inner1 = innerColumn(tile + lanes, rowStep)
    let inner2 = innerColumn(tile + 2 * lanes, rowStep)
    let inner3 = innerColumn(tile + 3 * lanes, rowStep)
    storeGradientRow(
        inner0.plus, inner1.plus, inner2.plus, inner3.plus, to: target + 6 * positionStep, positionStep: positionStep)
    storeGradientRow(
        inner0.minus, inner1.minus, inner2.minus, inner3.minus, to: target + 12 * positionStep,
        positionStep: positionStep)

    let outer0 = outerColumn(tile, rowStep)
    let outer1 = outerColumn(tile + lanes, rowStep)
    let outer2 = outerColumn(tile + 2 * lanes, rowStep)
    let outer3 = outerColumn(tile + 3 * lanes, rowStep)
    storeGradientRow(
        outer0.plus, outer1.plus, outer2.plus, outer3.plus, to: target + 18 * positionStep, positionStep: positionStep)
    storeGradientRow(
        outer0.minus, outer1.minus, outer2.minus, outer3.minus, to: target + 24 * positionStep,
        positionStep: positionStep)

    let last = tile + 3 * rowStep
    storeGradientRow(
        load(last), load(last + lanes), load(last + 2 * lanes), load(last + 3 * lanes), to: target + 30 * positionStep,
        positionStep: positionStep)
}

// MARK: G^T m G

/// G^T m G for one block of outputs and one of inputs, put into a kernel's gradient or added to it.
///
/// - Parameters:
///   - products: For each of 36 positions a square, a row for each output channel, as `blockProducts` leaves them.
///   - positionStep: Floats between positions.
///   - outputs: The channels of the block of outputs that there are.
///   - inputs: Those of the block of inputs.
///   - result: `[outputs][inputs][3][3]`.
///   - resultStep: Floats between output channels.
///   - accumulates: Whether to add to what is there.
///   - scratch: Room for nine vectors.
public func winogradKernelGradient(
    products: UnsafePointer<Float>, positionStep: Int, outputs: Int, inputs: Int, result: UnsafeMutablePointer<Float>,
    resultStep: Int, accumulates: Bool, scratch: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var output = 0
    while output < outputs {
        let (row, target) = (products + output * lanes, result + output * resultStep)
        let c0 = tapsOfRow(row, positionStep)
        let c1 = tapsOfRow(row + 6 * positionStep, positionStep)
        let c2 = tapsOfRow(row + 12 * positionStep, positionStep)
        let c3 = tapsOfRow(row + 18 * positionStep, positionStep)
        let c4 = tapsOfRow(row + 24 * positionStep, positionStep)
        let c5 = tapsOfRow(row + 30 * positionStep, positionStep)
        let t0 = tapsOfSix(c0.0, c1.0, c2.0, c3.0, c4.0, c5.0)
        let t1 = tapsOfSix(c0.1, c1.1, c2.1, c3.1, c4.1, c5.1)
        let t2 = tapsOfSix(c0.2, c1.2, c2.2, c3.2, c4.2, c5.2)
        store(t0.0, to: scratch)
        store(t1.0, to: scratch + lanes)
        store(t2.0, to: scratch + 2 * lanes)
        store(t0.1, to: scratch + 3 * lanes)
        store(t1.1, to: scratch + 4 * lanes)
        store(t2.1, to: scratch + 5 * lanes)
        store(t0.2, to: scratch + 6 * lanes)
        store(t1.2, to: scratch + 7 * lanes)
        store(t2.2, to: scratch + 8 * lanes)
        var input = 0
        while input < inputs {
            let taps = target + input * 9
            var tap = 0
            while tap < 9 {
                let value = scratch[tap * lanes + input]
                taps[tap] = accumulates ? taps[tap] + value : value
                tap += 1
            }
            input += 1
        }
        output += 1
    }
}

/// G^T m for six numbers.
@_transparent private func tapsOfSix(
    _ m0: Vector, _ m1: Vector, _ m2: Vector, _ m3: Vector, _ m4: Vector, _ m5: Vector
) -> (Vector, Vector, Vector) {
    // 1 / (a^2 b^2), 1 / (2 a^2 (a^2 - b^2)) and 1 / (2 b^2 (b^2 - a^2)).
    let (inner, outer) = (Vector(repeating: -1 / 1.45263671875), Vector(repeating: 1 / 8.3671875))
    let (innerSum, innerDifference) = (inner * (m1 + m2), inner * (m1 - m2))
    let (outerSum, outerDifference) = (outer * (m3 + m4), outer * (m3 - m4))
    return (
        multiplyAdd(innerSum + outerSum, Vector(repeating: 1 / 0.87890625), m0),
        multiplyAdd(innerDifference * Vector(repeating: 0.625), Vector(repeating: 1.5), outerDifference),
        multiplyAdd(multiplyAdd(m5, Vector(repeating: 0.390625), innerSum), Vector(repeating: 2.25), outerSum)
    )
}

/// `tapsOfSix` of a row of positions.
@_transparent private func tapsOfRow(_ row: UnsafePointer<Float>, _ step: Int) -> (Vector, Vector, Vector) {
    tapsOfSix(
        load(row), load(row + step), load(row + 2 * step), load(row + 3 * step), load(row + 4 * step),
        load(row + 5 * step))
}
