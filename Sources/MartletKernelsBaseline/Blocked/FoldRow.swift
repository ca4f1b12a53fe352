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
