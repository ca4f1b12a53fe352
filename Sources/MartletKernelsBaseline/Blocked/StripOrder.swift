/// Columns of the next strips: up to `run` columns (two rows make a strip) or an even number up to twice that (one row).
///
/// The widest strip comes first as long as what is left is worth a strip: fewer than four pixels would wait for the
/// products before them and for their weights.
@inline(__always) func stripWidth(remaining: Int, run: Int) -> Int {
    let widest = 2 * run
    if remaining == widest || remaining >= widest + 4 { return widest }
    if remaining > widest { return ((remaining + 1) / 2 + 1) & ~1 }
    if remaining <= run || remaining & 1 == 0 { return remaining }
    return (remaining + 1) / 2
}

/// Columns that strips of one row cover; those behind them are fewer than such a strip has.
@inline(__always) func columnsOfOneRowStrips(_ columns: Int, run: Int) -> Int {
    var covered = 0
    while true {
        let width = stripWidth(remaining: columns - covered, run: run)
        if width <= run { return covered }
        covered += width
    }
}

/// Moves on from a strip of `width` x `height` pixels; behind the last one, `column` is that behind the last.
///
/// Strips of one row follow each other along it, which is how the processor fetches ahead, and after all of them those of two
/// rows go down. Down the columns first, a 1x1 convolution of 64 channels, whose result has a border, took 1.4 times as long
/// (56x56 pixels, Zen 3).
@inline(__always) func moveOn(
    _ row: inout Int, _ column: inout Int, width: Int, height: Int, rows: Int, columnsOfOneRowStrips: Int
) {
    if column < columnsOfOneRowStrips {
        column += width
        if column < columnsOfOneRowStrips { return }
        row += height
        column = row < rows ? 0 : column
        if row >= rows { row = 0 }
    } else {
        row += height
        if row < rows { return }
        row = 0
        column += width
    }
}
