import CMartletIntrinsics

// Winograd's minimal filtering F(4x4, 3x3) of bytes, by the points 0, +-1, +-2 and infinity: B^T then is whole numbers, and
// B^T d B of bytes less 128 fits 16 bits (128 x 10 x 10). `Blocked/WinogradInput.swift` says what the transforms are.

/// Bytes of a tile's transformed block: sixteen numbers of 16 bits.
@_transparent private func bytesOfTile() -> Int { 32 }

@_transparent private func transformed(
    _ d0: martlet_halves, _ d1: martlet_halves, _ d2: martlet_halves, _ d3: martlet_halves, _ d4: martlet_halves,
    _ d5: martlet_halves
) -> (
    martlet_halves, martlet_halves, martlet_halves, martlet_halves, martlet_halves, martlet_halves
) {
    let first = (d0 &<< 2) &- (d2 &<< 2) &- d2 &+ d4
    let last = (d1 &<< 2) &- (d3 &<< 2) &- d3 &+ d5
    let (even1, odd1) = (d4 &- (d2 &<< 2), d3 &- (d1 &<< 2))
    let (even2, odd2) = (d4 &- d2, (d3 &- d1) &<< 1)
    return (first, even1 &+ odd1, even1 &- odd1, even2 &+ odd2, even2 &- odd2, last)
}

/// B^T d B of the bytes of a run of tiles of one block, less 128.
///
/// - Parameters:
///   - input: What tap (0, 0) sees at output pixel (0, 0); it must be readable for the whole of each tile of 6 x 6 pixels.
///   - inputRowStep: Bytes between the rows of the input.
///   - tilesPerRow: The tiles side by side in the image, 4 pixels apart.
///   - firstTile: The first tile to transform; they are counted row by row.
///   - output: Position (0, 0), tile after tile from `firstTile` on, of sixteen numbers of 16 bits.
///   - positionStep: Bytes between neighbouring positions, of which there are 36.
public func winogradQuantizedInput(
    input: UnsafePointer<UInt8>, inputRowStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
    output: UnsafeMutablePointer<UInt8>, positionStep: Int
) {
    var index = 0
    while index < tileCount {
        let tile = firstTile + index
        let source =
            UnsafeRawPointer(input) + tile / tilesPerRow * 4 * inputRowStep + tile % tilesPerRow * 4 * bytesOfPixel
        let target = UnsafeMutableRawPointer(output) + index * bytesOfTile()
        // By columns into place, then by rows where they lie.
        var column = 0
        while column < 6 {
            let pixel = source + column * bytesOfPixel
            let y = transformed(
                martlet_load_centred(pixel), martlet_load_centred(pixel + inputRowStep),
                martlet_load_centred(pixel + 2 * inputRowStep), martlet_load_centred(pixel + 3 * inputRowStep),
                martlet_load_centred(pixel + 4 * inputRowStep), martlet_load_centred(pixel + 5 * inputRowStep))
            let place = target + column * positionStep
            place.storeBytes(of: y.0, as: martlet_halves.self)
            (place + 6 * positionStep).storeBytes(of: y.1, as: martlet_halves.self)
            (place + 12 * positionStep).storeBytes(of: y.2, as: martlet_halves.self)
            (place + 18 * positionStep).storeBytes(of: y.3, as: martlet_halves.self)
            (place + 24 * positionStep).storeBytes(of: y.4, as: martlet_halves.self)
            (place + 30 * positionStep).storeBytes(of: y.5, as: martlet_halves.self)
            column += 1
        }
        var row = 0
        while row < 6 {
            let place = target + 6 * row * positionStep
            let y = transformed(
                place.loadUnaligned(as: martlet_halves.self),
                (place + positionStep).loadUnaligned(as: martlet_halves.self),
                (place + 2 * positionStep).loadUnaligned(as: martlet_halves.self),
                (place + 3 * positionStep).loadUnaligned(as: martlet_halves.self),
                (place + 4 * positionStep).loadUnaligned(as: martlet_halves.self),
                (place + 5 * positionStep).loadUnaligned(as: martlet_halves.self))
            place.storeBytes(of: y.0, as: martlet_halves.self)
            (place + positionStep).storeBytes(of: y.1, as: martlet_halves.self)
            (place + 2 * positionStep).storeBytes(of: y.2, as: martlet_halves.self)
            (place + 3 * positionStep).storeBytes(of: y.3, as: martlet_halves.self)
            (place + 4 * positionStep).storeBytes(of: y.4, as: martlet_halves.self)
            (place + 5 * positionStep).storeBytes(of: y.5, as: martlet_halves.self)
            row += 1
        }
        index += 1
    }
}

/// A^T for six numbers.
@_transparent private func combined(
    _ m0: Reals, _ m1: Reals, _ m2: Reals, _ m3: Reals, _ m4: Reals, _ m5: Reals
) -> (Reals, Reals, Reals, Reals) {
    let (sum1, difference1, sum2, difference2) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4)
    return (
        m0 + sum1 + sum2, difference1 + difference2 * 2, sum1 + sum2 * 4, difference1 + difference2 * 8 + m5
    )
}

/// A^T m A for a run of tiles of one vector of outputs, plus the bias, rounded to bytes.
///
/// - Parameters:
///   - products: Position (0, 0), tile after tile from `firstTile` on; overwritten.
///   - positionStep: Floats between neighbouring positions, of which there are 36.
///   - tilesPerRow: The tiles side by side in the image; they are counted row by row.
///   - bias: A vector, in steps of the first rounding.
///   - settings: Those of `convolveQuantizedRows`.
///   - residual: Pixel (0, 0) of what is added, laid out like the output, or none; it may be the output.
///   - output: Pixel (0, 0) of the vector.
///   - outputRows: The height of the output; what tiles have below it is not written.
///   - outputColumns: The width of the output; what tiles have beyond it is not written.
public func winogradQuantizedOutput(
    products: UnsafeMutablePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int, tileCount: Int,
    bias: UnsafePointer<Float>, settings: UnsafePointer<Float>, residual: UnsafePointer<UInt8>?, residualRowStep: Int,
    output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, outputRows: Int, outputColumns: Int
) {
    let lanes = Integers.scalarCount
    let constant = martlet_load_reals(bias)
    var index = 0
    while index < tileCount {
        let tile = firstTile + index
        let (firstRow, firstColumn) = (tile / tilesPerRow * 4, tile % tilesPerRow * 4)
        let source = products + index * lanes
        var column = 0
        while column < 6 {
            let place = source + column * positionStep
            let y = combined(
                martlet_load_reals(place), martlet_load_reals(place + 6 * positionStep),
                martlet_load_reals(place + 12 * positionStep), martlet_load_reals(place + 18 * positionStep),
                martlet_load_reals(place + 24 * positionStep), martlet_load_reals(place + 30 * positionStep))
            martlet_store_reals(y.0, place)
            martlet_store_reals(y.1, place + 6 * positionStep)
            martlet_store_reals(y.2, place + 12 * positionStep)
            martlet_store_reals(y.3, place + 18 * positionStep)
            column += 1
        }
        let (rows, columns) = (min(4, outputRows - firstRow), min(4, outputColumns - firstColumn))
        var row = 0
        while row < rows {
            let place = source + 6 * row * positionStep
            let y = combined(
                martlet_load_reals(place), martlet_load_reals(place + positionStep),
                martlet_load_reals(place + 2 * positionStep), martlet_load_reals(place + 3 * positionStep),
                martlet_load_reals(place + 4 * positionStep), martlet_load_reals(place + 5 * positionStep))
            let target = output + (firstRow + row) * outputRowStep + firstColumn * bytesOfPixel
            let addend = residual.map { $0 + (firstRow + row) * residualRowStep + firstColumn * bytesOfPixel }
            martlet_store_value(y.0 + constant, settings, addend, target)
            if columns > 1 { martlet_store_value(y.1 + constant, settings, addend.map { $0 + 16 }, target + 16) }
            if columns > 2 { martlet_store_value(y.2 + constant, settings, addend.map { $0 + 32 }, target + 32) }
            if columns > 3 { martlet_store_value(y.3 + constant, settings, addend.map { $0 + 48 }, target + 48) }
            row += 1
        }
        index += 1
    }
}
