import CMartletIntrinsics

/// The maximum of each window over one block of bytes. Windows are clipped to the input, whose border is not read; a window
/// with nothing of the input in it gives 0.
///
/// Each row of windows is done down first, then across.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are 16 bytes apart.
///   - inputRowStep: Bytes between rows of the input.
///   - inputRows: The height of the input without its border.
///   - inputColumns: The width of the input without its border.
///   - top: The height of the border above the input that windows see.
///   - left: The width of the border left of the input that windows see.
///   - columnMaxima: Room for `inputColumns` pixels.
///   - output: Pixel (0, 0).
public func maxPoolQuantizedRows(
    input: UnsafePointer<UInt8>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
    kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int, left: Int,
    columnMaxima: UnsafeMutablePointer<UInt8>, output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, rows: Int,
    columns: Int
) {
    let tapStep = columnDilation * bytesOfPixel
    // The windows that lie in the input from left to right.
    let firstWhole = min(columns, (left + columnStride - 1) / columnStride)
    let room = inputColumns + left - (kernelColumns - 1) * columnDilation - 1
    let endWhole = room < 0 ? firstWhole : max(firstWhole, min(columns, room / columnStride + 1))
    var row = 0
    while row < rows {
        let y = row * rowStride - top
        let firstRow = firstInside(y, rowDilation, kernelRows)
        let endRow = endInside(y, rowDilation, kernelRows, inputRows, firstRow)
        maximaDown(
            UnsafeRawPointer(input + (y + firstRow * rowDilation) * inputRowStep), rowDilation * inputRowStep,
            endRow - firstRow, inputColumns * bytesOfPixel, UnsafeMutableRawPointer(columnMaxima))
        let line = UnsafeRawPointer(columnMaxima)
        let target = UnsafeMutableRawPointer(output + row * outputRowStep)
        var column = 0
        while column < columns {
            if column == firstWhole && column < endWhole {
                maximaAcross(
                    line + (column * columnStride - left) * bytesOfPixel, columnStride, tapStep, kernelColumns,
                    target + column * bytesOfPixel, endWhole - column)
                column = endWhole
                continue
            }
            let x = column * columnStride - left
            let first = firstInside(x, columnDilation, kernelColumns)
            let end = endInside(x, columnDilation, kernelColumns, inputColumns, first)
            var result = martlet_pixel.zero
            var tap = first
            while tap < end {
                result = martlet_larger(
                    result, (line + x * bytesOfPixel + tap * tapStep).loadUnaligned(as: martlet_pixel.self))
                tap += 1
            }
            (target + column * bytesOfPixel).storeBytes(of: result, as: martlet_pixel.self)
            column += 1
        }
        row += 1
    }
}

/// The maxima of `taps` rows, `step` bytes apart, at each of `count` places, a multiple of 16; of no row they are 0.
@inline(__always) private func maximaDown(
    _ input: UnsafeRawPointer, _ step: Int, _ taps: Int, _ count: Int, _ output: UnsafeMutableRawPointer
) {
    let vector = MemoryLayout<martlet_pixels>.size
    var place = 0
    while place + vector <= count {
        var result = martlet_pixels.zero
        var line = input + place
        var tap = 0
        while tap < taps {
            result = martlet_larger_of_many(result, line.loadUnaligned(as: martlet_pixels.self))
            line += step
            tap += 1
        }
        (output + place).storeBytes(of: result, as: martlet_pixels.self)
        place += vector
    }
    while place < count {
        var result = martlet_pixel.zero
        var line = input + place
        var tap = 0
        while tap < taps {
            result = martlet_larger(result, line.loadUnaligned(as: martlet_pixel.self))
            line += step
            tap += 1
        }
        (output + place).storeBytes(of: result, as: martlet_pixel.self)
        place += bytesOfPixel
    }
}

/// The maxima of `taps` pixels, `tapStep` bytes apart, for each of `count` windows, `stride` pixels apart.
@inline(__always) private func maximaAcross(
    _ line: UnsafeRawPointer, _ stride: Int, _ tapStep: Int, _ taps: Int, _ output: UnsafeMutableRawPointer,
    _ count: Int
) {
    let vector = MemoryLayout<martlet_pixels>.size
    var index = 0
    // Of windows side by side a vector of pixels is done at once.
    while stride == 1 && (count - index) * bytesOfPixel >= vector {
        var result = martlet_pixels.zero
        var tap = 0
        while tap < taps {
            let value = (line + index * bytesOfPixel + tap * tapStep).loadUnaligned(as: martlet_pixels.self)
            result = martlet_larger_of_many(result, value)
            tap += 1
        }
        (output + index * bytesOfPixel).storeBytes(of: result, as: martlet_pixels.self)
        index += vector / bytesOfPixel
    }
    var source = line + index * stride * bytesOfPixel
    while index < count {
        var result = source.loadUnaligned(as: martlet_pixel.self)
        if taps == 3 {
            let second = (source + tapStep).loadUnaligned(as: martlet_pixel.self)
            let third = (source + 2 * tapStep).loadUnaligned(as: martlet_pixel.self)
            result = martlet_larger(martlet_larger(result, second), third)
        } else {
            var tap = 1
            while tap < taps {
                result = martlet_larger(result, (source + tap * tapStep).loadUnaligned(as: martlet_pixel.self))
                tap += 1
            }
        }
        (output + index * bytesOfPixel).storeBytes(of: result, as: martlet_pixel.self)
        source += stride * bytesOfPixel
        index += 1
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
