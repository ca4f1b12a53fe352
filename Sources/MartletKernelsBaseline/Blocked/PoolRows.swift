/// The maximum of each window over one channel block; the border is never the maximum, a NaN is passed over.
///
/// Windows are clipped to the input, whose border is not read, whatever lies there. A window with nothing of the input in
/// it gives -infinity. `ceil` rounding is no more than a larger output.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between rows of the input.
///   - inputRows: The height of the input without its border.
///   - inputColumns: The width of the input without its border.
///   - kernelRows: The taps of a window, downwards.
///   - kernelColumns: The taps of a window, to the right.
///   - rowStride: Pixels between windows, downwards.
///   - columnStride: Pixels between windows, to the right.
///   - rowDilation: Pixels between taps, downwards.
///   - columnDilation: Pixels between taps, to the right.
///   - top: The height of the border above the input.
///   - left: The width of the border left of the input.
///   - output: Pixel (0, 0) of the whole output.
///   - outputRowStep: Floats between rows of the output.
///   - firstRow: The first row of the output to compute.
///   - rows: The number of rows of the output to compute.
///   - columns: The width of the output.
public func maxPoolRows(
    input: UnsafePointer<Float>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
    kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int, left: Int,
    output: UnsafeMutablePointer<Float>, outputRowStep: Int, firstRow: Int, rows: Int, columns: Int
) {
    let lanes = Vector.scalarCount
    let firstInside = firstWindowInside(left, columnStride, columns)
    let endInside = endWindowInside(
        inputColumns, kernelColumns, columnStride, columnDilation, left, firstInside, columns)
    // Neighbouring windows of this size share columns, whose maxima are then taken once.
    let shares = kernelRows == 3 && kernelColumns == 3 && rowDilation == 1 && columnDilation == 1 && columnStride <= 2
    let smallest = Vector(repeating: -.infinity)
    var row = firstRow
    while row < firstRow + rows {
        let origin = row * rowStride - top
        let firstTap = firstTapInside(origin, rowDilation, kernelRows)
        let endTap = endTapInside(origin, rowDilation, kernelRows, inputRows, firstTap)
        let line = input + (origin + firstTap * rowDilation) * inputRowStep
        let target = output + row * outputRowStep
        var column = 0
        while column < columns {
            let x = column * columnStride - left
            if column == firstInside && endInside > firstInside && endTap > firstTap && shares {
                // A window cut off at the top or the bottom sees its last row again.
                let middle = line + (endTap - firstTap > 1 ? inputRowStep : 0)
                let bottom = line + (endTap - firstTap - 1) * inputRowStep
                var (a, b, c) = (line + x * lanes, middle + x * lanes, bottom + x * lanes)
                var first = columnMaximum(a, b, c)
                if columnStride == 2 {
                    while column < endInside {
                        let second = columnMaximum(a + lanes, b + lanes, c + lanes)
                        let third = columnMaximum(a + 2 * lanes, b + 2 * lanes, c + 2 * lanes)
                        store(larger(larger(first, second), third), to: target + column * lanes)
                        first = third
                        a += 2 * lanes
                        b += 2 * lanes
                        c += 2 * lanes
                        column += 1
                    }
                } else {
                    var second = columnMaximum(a + lanes, b + lanes, c + lanes)
                    while column < endInside {
                        let third = columnMaximum(a + 2 * lanes, b + 2 * lanes, c + 2 * lanes)
                        store(larger(larger(first, second), third), to: target + column * lanes)
                        first = second
                        second = third
                        a += lanes
                        b += lanes
                        c += lanes
                        column += 1
                    }
                }
                continue
            }
            if column == firstInside && endInside > firstInside && endTap - firstTap == 2 && kernelColumns == 2 {
                let below = rowDilation * inputRowStep
                let beside = columnDilation * lanes
                var source = line + x * lanes
                while column < endInside {
                    let upper = larger(larger(smallest, load(source)), load(source + beside))
                    let lower = larger(larger(upper, load(source + below)), load(source + below + beside))
                    store(lower, to: target + column * lanes)
                    source += columnStride * lanes
                    column += 1
                }
                continue
            }
            let firstColumnTap = firstTapInside(x, columnDilation, kernelColumns)
            let endColumnTap = endTapInside(x, columnDilation, kernelColumns, inputColumns, firstColumnTap)
            var result = smallest
            var source = line + (x + firstColumnTap * columnDilation) * lanes
            var tap = firstTap
            while tap < endTap {
                var pixel = source
                var columnTap = firstColumnTap
                while columnTap < endColumnTap {
                    result = larger(result, load(pixel))
                    pixel += columnDilation * lanes
                    columnTap += 1
                }
                source += rowDilation * inputRowStep
                tap += 1
            }
            store(result, to: target + column * lanes)
            column += 1
        }
        row += 1
    }
}

/// The mean of each window over one channel block.
///
/// Windows are clipped to the input, whose border is not read; it counts as zeros if so told. What lies past the border,
/// which `ceil` rounding can reach, never counts. A window with nothing in it has the mean 0.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between rows of the input.
///   - inputRows: The height of the input without its border.
///   - inputColumns: The width of the input without its border.
///   - kernelRows: The taps of a window, downwards.
///   - kernelColumns: The taps of a window, to the right.
///   - rowStride: Pixels between windows, downwards.
///   - columnStride: Pixels between windows, to the right.
///   - rowDilation: Pixels between taps, downwards.
///   - columnDilation: Pixels between taps, to the right.
///   - top: The height of the border above the input.
///   - left: The width of the border left of the input.
///   - bottom: The height of the border below the input.
///   - right: The width of the border right of the input.
///   - countsPadding: Whether the border counts.
///   - output: Pixel (0, 0) of the whole output.
///   - outputRowStep: Floats between rows of the output.
///   - firstRow: The first row of the output to compute.
///   - rows: The number of rows of the output to compute.
///   - columns: The width of the output.
public func averagePoolRows(
    input: UnsafePointer<Float>, inputRowStep: Int, inputRows: Int, inputColumns: Int, kernelRows: Int,
    kernelColumns: Int, rowStride: Int, columnStride: Int, rowDilation: Int, columnDilation: Int, top: Int, left: Int,
    bottom: Int, right: Int, countsPadding: Bool, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    firstRow: Int, rows: Int, columns: Int
) {
    let lanes = Vector.scalarCount
    let firstInside = firstWindowInside(left, columnStride, columns)
    let endInside = endWindowInside(
        inputColumns, kernelColumns, columnStride, columnDilation, left, firstInside, columns)
    var row = firstRow
    while row < firstRow + rows {
        let origin = row * rowStride - top
        let firstTap = firstTapInside(origin, rowDilation, kernelRows)
        let endTap = endTapInside(origin, rowDilation, kernelRows, inputRows, firstTap)
        let countedRows =
            countsPadding ? endTapInside(origin, rowDilation, kernelRows, inputRows + bottom, 0) : endTap - firstTap
        let line = input + (origin + firstTap * rowDilation) * inputRowStep
        let target = output + row * outputRowStep
        var column = 0
        while column < columns {
            let x = column * columnStride - left
            if column == firstInside && endInside > firstInside && endTap - firstTap == 2 && kernelColumns == 2 {
                let divisor = Vector(repeating: Float(2 * countedRows))
                let below = rowDilation * inputRowStep
                let beside = columnDilation * lanes
                var source = line + x * lanes
                while column < endInside {
                    let upper = load(source) + load(source + beside)
                    let lower = load(source + below) + load(source + below + beside)
                    store((upper + lower) / divisor, to: target + column * lanes)
                    source += columnStride * lanes
                    column += 1
                }
                continue
            }
            if column == firstInside && endInside > firstInside && endTap - firstTap == 3 && kernelColumns == 3 {
                let divisor = Vector(repeating: Float(3 * countedRows))
                let below = rowDilation * inputRowStep
                let beside = columnDilation * lanes
                var source = line + x * lanes
                while column < endInside {
                    let upper = sumOfThree(source, beside)
                    let middle = sumOfThree(source + below, beside)
                    let lower = sumOfThree(source + 2 * below, beside)
                    store((upper + middle + lower) / divisor, to: target + column * lanes)
                    source += columnStride * lanes
                    column += 1
                }
                continue
            }
            let firstColumnTap = firstTapInside(x, columnDilation, kernelColumns)
            let endColumnTap = endTapInside(x, columnDilation, kernelColumns, inputColumns, firstColumnTap)
            let countedColumns =
                countsPadding
                ? endTapInside(x, columnDilation, kernelColumns, inputColumns + right, 0)
                : endColumnTap - firstColumnTap
            var sum = Vector(repeating: 0)
            var source = line + (x + firstColumnTap * columnDilation) * lanes
            var tap = firstTap
            while tap < endTap {
                var pixel = source
                var columnTap = firstColumnTap
                while columnTap < endColumnTap {
                    sum += load(pixel)
                    pixel += columnDilation * lanes
                    columnTap += 1
                }
                source += rowDilation * inputRowStep
                tap += 1
            }
            let counted = countedRows * countedColumns
            store(sum / Vector(repeating: Float(counted > 0 ? counted : 1)), to: target + column * lanes)
            column += 1
        }
        row += 1
    }
}

/// The mean over all pixels of one channel block: `vectorLanes()` floats.
///
/// Rows are summed first, then their sums, in an order that depends on the shape alone.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between rows.
///   - rows: The height of the input without its border.
///   - columns: The width of the input without its border.
///   - output: The means.
public func globalAverageRows(
    input: UnsafePointer<Float>, inputRowStep: Int, rows: Int, columns: Int, output: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var total = Vector(repeating: 0)
    var row = 0
    while row < rows {
        var pixel = input + row * inputRowStep
        var (a, b) = (Vector(repeating: 0), Vector(repeating: 0))
        var (c, d) = (Vector(repeating: 0), Vector(repeating: 0))
        var column = 0
        while column + 4 <= columns {
            a += load(pixel)
            b += load(pixel + lanes)
            c += load(pixel + 2 * lanes)
            d += load(pixel + 3 * lanes)
            pixel += 4 * lanes
            column += 4
        }
        while column < columns {
            a += load(pixel)
            pixel += lanes
            column += 1
        }
        total += (a + b) + (c + d)
        row += 1
    }
    store(total / Vector(repeating: Float(rows * columns)), to: output)
}

/// `b` where it is larger, else `a`; `a` where `b` is NaN.
@_transparent private func larger(_ a: Vector, _ b: Vector) -> Vector { a.replacing(with: b, where: b .> a) }

/// The maximum of three pixels, NaN passed over.
@_transparent private func columnMaximum(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>
) -> Vector {
    larger(larger(larger(Vector(repeating: -.infinity), load(a)), load(b)), load(c))
}

/// The sum of three pixels.
@_transparent private func sumOfThree(_ pixel: UnsafePointer<Float>, _ step: Int) -> Vector {
    load(pixel) + load(pixel + step) + load(pixel + 2 * step)
}

/// The first tap of the window at `origin` that is not before the input, or `kernel`.
@_transparent private func firstTapInside(_ origin: Int, _ dilation: Int, _ kernel: Int) -> Int {
    if origin >= 0 { return 0 }
    let first = dilation == 1 ? -origin : (dilation - 1 - origin) / dilation
    return first < kernel ? first : kernel
}

/// The first tap of the window at `origin` that is past the input, but not less than `first` nor more than `kernel`.
@_transparent private func endTapInside(
    _ origin: Int, _ dilation: Int, _ kernel: Int, _ extent: Int, _ first: Int
) -> Int {
    if extent <= origin { return first }
    let end = dilation == 1 ? extent - origin : (extent - origin + dilation - 1) / dilation
    return end < first ? first : end < kernel ? end : kernel
}

/// The first window that has nothing of the border before the input.
@_transparent private func firstWindowInside(_ before: Int, _ stride: Int, _ windows: Int) -> Int {
    let first = (before + stride - 1) / stride
    return first < windows ? first : windows
}

/// The first window from `first` on that reaches past the input.
@_transparent private func endWindowInside(
    _ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ before: Int, _ first: Int, _ windows: Int
) -> Int {
    let room = extent + before - (kernel - 1) * dilation - 1
    let end = room < 0 ? 0 : room / stride + 1
    return end < first ? first : end < windows ? end : windows
}
