/// Deals the pixels of an image out among channels, for one row of the result: with stride s, pixel (p, s x + q) of channel
/// c, counted from `firstRow` and `firstColumn`, becomes channel `(c s + p) s + q` of pixel x. What lies outside the image is
/// zero, and so are the lanes past the last channel.
///
/// - Parameters:
///   - input: `channels` planes of `inputRows` rows of `inputColumns` floats.
///   - inputChannelStep: Floats between planes.
///   - firstRow: The image's row that row 0 of the window shows, perhaps negative.
///   - firstColumn: The image's column that pixel 0 shows, perhaps negative.
///   - output: Pixel 0 of the row in the first block; pixels are `vectorLanes()` floats apart.
///   - outputBlockStep: Floats between blocks.
///   - columns: Pixels of the row.
public func foldRow(
    input: UnsafePointer<Float>, inputChannelStep: Int, inputRows: Int, inputColumns: Int, channels: Int, stride: Int,
    firstRow: Int, firstColumn: Int, output: UnsafeMutablePointer<Float>, outputBlockStep: Int, columns: Int
) {
    let lanes = Vector.scalarCount
    let folded = channels * stride * stride
    var block = output
    var blockStart = 0
    while blockStart < folded {
        var x = 0
        while x < columns {
            store(.zero, to: block + x * lanes)
            x += 1
        }
        blockStart += lanes
        block += outputBlockStep
    }
    var index = 0
    while index < folded {
        if index % stride == 0 && lanes % stride == 0 && (stride == 2 || stride == 4) {
            let row = firstRow + index / stride % stride
            if row >= 0 && row < inputRows {
                foldTogether(
                    input + index / (stride * stride) * inputChannelStep + row * inputColumns, inputColumns, stride,
                    firstColumn, output + index / lanes * outputBlockStep + index % lanes, columns)
            }
            index += stride
            continue
        }
        let q = index % stride
        let p = index / stride % stride
        let row = firstRow + p
        if row >= 0 && row < inputRows {
            let source = input + index / (stride * stride) * inputChannelStep + row * inputColumns
            let target = output + index / lanes * outputBlockStep + index % lanes
            // The pixels x whose column, first + s x, lies in the image.
            let first = firstColumn + q
            var x = first >= 0 ? 0 : (stride - 1 - first) / stride
            var column = first + x * stride
            while x < columns && column < inputColumns {
                target[x * lanes] = source[column]
                column += stride
                x += 1
            }
        }
        index += 1
    }
}

/// The columns of a window of 2 or 4 become channels side by side: they are moved at once where all lie in the image.
@inline(__always) private func foldTogether(
    _ source: UnsafePointer<Float>, _ inputColumns: Int, _ stride: Int, _ firstColumn: Int,
    _ target: UnsafeMutablePointer<Float>, _ columns: Int
) {
    // The pixels whose columns all lie in the image: from the first that begins in it, before the first that leaves it.
    let first = firstColumn >= 0 ? 0 : min(columns, (stride - 1 - firstColumn) / stride)
    let room = inputColumns - stride - firstColumn
    let end = room < 0 ? first : max(first, min(columns, room / stride + 1))
    var x = 0
    while x < columns {
        if x == first && first < end {
            var from = UnsafeRawPointer(source + firstColumn + first * stride)
            var to = UnsafeMutableRawPointer(target + first * Vector.scalarCount)
            while x < end {
                if stride == 2 {
                    to.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
                } else {
                    to.storeBytes(of: from.loadUnaligned(as: SIMD4<Float>.self), as: SIMD4<Float>.self)
                }
                from += stride * 4
                to += Vector.scalarCount * 4
                x += 1
            }
            continue
        }
        let column = firstColumn + x * stride
        var q = 0
        while q < stride {
            if column + q >= 0 && column + q < inputColumns { target[x * Vector.scalarCount + q] = source[column + q] }
            q += 1
        }
        x += 1
    }
}
