// Tuples, since a structure would leave symbols of its own in every room that is built from this folder.

/// Strips of one shape that follow each other: how many, and elements from what a strip sees to what the next one sees, from its
/// residual to that of the next, and from its results to theirs.
typealias StripSeries = (count: Int, inputStep: Int, residualStep: Int, outputStep: Int)

/// A series by the pixels that its strips cover: the first strip's first pixel, the columns and rows of a strip (one row, or two of
/// up to a run each), and whether the next strip is below or to the right.
typealias StripPlace = (row: Int, column: Int, width: Int, height: Int, count: Int, goesDown: Bool)

/// From the first run of pixels of a strip to the second: the row below, or the second half of a row that can be halved.
@inline(__always) func secondRun(of place: StripPlace, rowStep: Int, columnStep: Int) -> Int {
    if place.height == 2 { return rowStep }
    return place.width & 1 == 0 ? place.width / 2 * columnStep : 0
}

/// From a strip to the next.
@inline(__always) func step(from place: StripPlace, rowStep: Int, columnStep: Int) -> Int {
    place.goesDown ? place.height * rowStep : place.width * columnStep
}

/// Cuts `rows` x `columns` pixels into series of strips, and calls `body` for each.
///
/// Strips of one row follow each other along it, which is how the processor fetches ahead, and after all of them those of two
/// rows go down. Down the columns first, a 1x1 convolution of 64 channels, whose result has a border, took 1.4 times as long
/// (56x56 pixels, Zen 3).
///
/// - Parameter run: The longest run of pixels of a strip: a strip is up to that many columns of two rows, or an even number of up
///   to twice as many of one.
@inline(__always) func eachSeries(rows: Int, columns: Int, run: Int, _ body: (StripPlace) -> Void) {
    let widest = 2 * run
    // The widest strips come first as long as what is left is worth a strip: fewer than four pixels would wait for the
    // products before them and for their weights.
    var widestCount = columns >= widest + 4 ? (columns - 4) / widest : 0
    var rest = columns - widestCount * widest
    // Two strips of about half each where the rest is more than a strip; a second of no more than a run becomes strips of two rows.
    let width = rest > widest ? ((rest + 1) / 2 + 1) & ~1 : rest
    var count = 0
    if width > run && width & 1 == 0 {
        count = rest - width == width ? 2 : 1
        rest -= count * width
        if width == widest {
            widestCount += count
            count = 0
        }
    }
    let oneRow = columns - rest
    if (widestCount == 0 && count == 1) || (widestCount == 1 && count == 0) {
        body((row: 0, column: 0, width: oneRow, height: 1, count: rows, goesDown: true))
    } else if oneRow > 0 {
        let covered = widestCount * widest
        var row = 0
        while row < rows {
            if widestCount > 0 {
                body((row: row, column: 0, width: widest, height: 1, count: widestCount, goesDown: false))
            }
            if count > 0 {
                body((row: row, column: covered, width: width, height: 1, count: count, goesDown: false))
            }
            row += 1
        }
    }
    // An odd rest that no run can take is two of them.
    while rest > 0 {
        let width = rest > run ? (rest + 1) / 2 : rest
        let column = columns - rest
        if rows >= 2 {
            body((row: 0, column: column, width: width, height: 2, count: rows / 2, goesDown: true))
        }
        if rows & 1 == 1 {
            body((row: rows - 1, column: column, width: width, height: 1, count: 1, goesDown: true))
        }
        rest -= width
    }
}
