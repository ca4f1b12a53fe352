/// Columns of the next panel: up to `run` columns (two rows make a strip) or an even number up to twice that (one row).
///
/// The widest strip comes first as long as what is left is worth a strip: fewer than four pixels would wait for the
/// products before them and for their weights.
@inline(__always) func panelWidth(remaining: Int, run: Int) -> Int {
    let widest = 2 * run
    if remaining == widest || remaining >= widest + 4 { return widest }
    if remaining > widest { return ((remaining + 1) / 2 + 1) & ~1 }
    if remaining <= run || remaining & 1 == 0 { return remaining }
    return (remaining + 1) / 2
}
