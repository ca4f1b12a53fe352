/// A sum that the second moment of patches is put together from, for every pair of channels.
///
/// Of two signals x and x', with rows n and columns m:
enum MomentTerm: Hashable {
    /// The sum of `x[n, m] x'[n + dy, m + dx]` over all n and m.
    case lag(dy: Int, dx: Int)
    /// The same over one row n.
    case row(Int, dy: Int, dx: Int)
    /// The same over one column m.
    case column(Int, dy: Int, dx: Int)
    /// The same for one element.
    case point(Int, Int, dy: Int, dx: Int)
}

/// The terms for a pair of taps, to be added or taken away: inclusion and exclusion at the borders.
///
/// A sum over all elements counts rows and columns that the windows leave out; where both are left out it is counted
/// twice.
struct TapPairSum {
    var added: [MomentTerm]
    var subtracted: [MomentTerm]

    init(_ height: SignalAxis, _ width: SignalAxis, first: (y: Int, x: Int), second: (y: Int, x: Int)) {
        let (dy, dx) = (height.lag(first.y, second.y), width.lag(first.x, second.x))
        let rows = height.excluded(first.y, second.y)
        let columns = width.excluded(first.x, second.x)
        added = [.lag(dy: dy, dx: dx)]
        subtracted = rows.map { .row($0, dy: dy, dx: dx) } + columns.map { .column($0, dy: dy, dx: dx) }
        for row in rows { added += columns.map { .point(row, $0, dy: dy, dx: dx) } }
    }
}
