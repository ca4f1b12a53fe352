import CMartletIntrinsics

/// The maximum of each window over one block of bytes. Windows are clipped to the input, whose border is not read; a window
/// with nothing of the input in it gives 0.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are 16 bytes apart.
///   - inputRowStep: Bytes between rows of the input.
///   - inputRows: The height of the input without its border.
///   - inputColumns: The width of the input without its border.
///   - top: The height of the border above the input that windows see.
///   - left: The width of the border left of the input that windows see.
///   - output: Pixel (0, 0).
public func maxPoolQuantizedRows(
    input: UnsafePointer<UInt8>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
    kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int, left: Int,
    output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, rows: Int, columns: Int
) {
    let vector = MemoryLayout<martlet_pixels>.size
    // Of windows side by side that lie in the input, a vector of pixels is done at once.
    let firstWhole = columnStride == 1 ? left : columns
    let endWhole = columnStride == 1 ? inputColumns + left - (kernelColumns - 1) * columnDilation : 0
    var row = 0
    while row < rows {
        let y = row * rowStride - top
        let firstRow = firstInside(y, rowDilation, kernelRows)
        let endRow = endInside(y, rowDilation, kernelRows, inputRows, firstRow)
        let start = UnsafeRawPointer(input + (y + firstRow * rowDilation) * inputRowStep)
        let target = UnsafeMutableRawPointer(output + row * outputRowStep)
        var column = 0
        while column < columns {
            let x = column * columnStride - left
            if column >= firstWhole && (min(columns, endWhole) - column) * bytesOfPixel >= vector {
                var result = martlet_pixels.zero
                var line = start + x * bytesOfPixel
                var tap = firstRow
                while tap < endRow {
                    var columnTap = 0
                    while columnTap < kernelColumns {
                        let value = (line + columnTap * columnDilation * bytesOfPixel)
                            .loadUnaligned(as: martlet_pixels.self)
                        result = martlet_larger_of_many(result, value)
                        columnTap += 1
                    }
                    line += rowDilation * inputRowStep
                    tap += 1
                }
                (target + column * bytesOfPixel).storeBytes(of: result, as: martlet_pixels.self)
                column += vector / bytesOfPixel
                continue
            }
            let firstColumn = firstInside(x, columnDilation, kernelColumns)
            let endColumn = endInside(x, columnDilation, kernelColumns, inputColumns, firstColumn)
            var result = martlet_pixel.zero
            var line = start + (x + firstColumn * columnDilation) * bytesOfPixel
            var tap = firstRow
            while tap < endRow {
                var pixel = line
                var columnTap = firstColumn
                while columnTap < endColumn {
                    result = martlet_larger(result, pixel.loadUnaligned(as: martlet_pixel.self))
                    pixel += columnDilation * bytesOfPixel
                    columnTap += 1
                }
                line += rowDilation * inputRowStep
                tap += 1
            }
            (target + column * bytesOfPixel).storeBytes(of: result, as: martlet_pixel.self)
            column += 1
        }
        row += 1
    }
}

/// The mean of each window over one block of bytes, brought to the scale of the result:
/// `output = zero point + clamp(round(mean of (input - z) * f))`, halves to the even integer.
///
/// Windows are clipped to the input, whose border is not read; it counts as zeros if so told, but what lies past the border
/// never counts. A window with nothing in it has the mean 0.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are 16 bytes apart. The rest as of `maxPoolQuantizedRows`.
///   - bottom: The height of the border below the input.
///   - right: The width of the border right of the input.
///   - countsPadding: Whether the border counts.
///   - settings: The bounds of the result from its zero point; the zero point, whose bits are those of an integer; f, z.
public func averagePoolQuantizedRows(
    input: UnsafePointer<UInt8>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
    kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int, left: Int,
    bottom: Int, right: Int, countsPadding: Bool, output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, rows: Int,
    columns: Int, settings: UnsafePointer<Float>
) {
    var row = 0
    while row < rows {
        let y = row * rowStride - top
        let firstRow = firstInside(y, rowDilation, kernelRows)
        let endRow = endInside(y, rowDilation, kernelRows, inputRows, firstRow)
        let countedRows = endInside(y, rowDilation, kernelRows, inputRows + bottom, 0)
        var column = 0
        while column < columns {
            let x = column * columnStride - left
            let firstColumn = firstInside(x, columnDilation, kernelColumns)
            let endColumn = endInside(x, columnDilation, kernelColumns, inputColumns, firstColumn)
            let countedColumns = endInside(x, columnDilation, kernelColumns, inputColumns + right, 0)
            let inside = (endRow - firstRow) * (endColumn - firstColumn)
            let counted = countsPadding ? countedRows * countedColumns : inside
            let factor = counted > 0 ? settings[3] / Float(counted) : 0
            let zeros = settings[4] * Float(inside)
            let line =
                input + (y + firstRow * rowDilation) * inputRowStep + (x + firstColumn * columnDilation) * bytesOfPixel
            var lane = 0
            while lane < bytesOfPixel {
                var sum = Integers.zero
                var source = line + lane
                var tap = firstRow
                while tap < endRow {
                    var pixel = source
                    var columnTap = firstColumn
                    while columnTap < endColumn {
                        sum &+= martlet_load_bytes(pixel)
                        pixel += columnDilation * bytesOfPixel
                        columnTap += 1
                    }
                    source += rowDilation * inputRowStep
                    tap += 1
                }
                let value = (martlet_to_reals(sum) - Reals(repeating: zeros)) * Reals(repeating: factor)
                martlet_store_rounded(value, settings, output + row * outputRowStep + column * bytesOfPixel + lane)
                lane += Integers.scalarCount
            }
            column += 1
        }
        row += 1
    }
}

/// The first tap of a window at `origin` that is not before the input.
@inline(__always) private func firstInside(_ origin: Int, _ dilation: Int, _ taps: Int) -> Int {
    origin >= 0 ? 0 : min(taps, (dilation - 1 - origin) / dilation)
}

/// The tap after the last of a window at `origin` that is not past `extent`, no less than `first`.
@inline(__always) private func endInside(_ origin: Int, _ dilation: Int, _ taps: Int, _ extent: Int, _ first: Int)
    -> Int
{
    origin >= extent ? first : max(first, min(taps, (extent - 1 - origin) / dilation + 1))
}
