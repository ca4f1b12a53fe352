/// The order in which a chunk's tiles lie beside each other, so that products that no pixel needs are left out.
///
/// Where the extent of the output is no multiple of a tile's, the last tiles are cut off. Some positions serve the last pixel
/// of a tile alone (``WinogradTile/Position``): tiles of which that is cut off do not need their products. Tiles cut
/// off below alone come first, then whole ones, then those cut off at the right alone, and the corner last: what a position
/// needs is then one run.
struct WinogradOrder {
    /// Tiles of the chunk, counted row by row of the image.
    let tiles: Range<Int>
    private let tilesPerRow: Int
    /// The row of tiles, and the column, that are cut off; none where all are whole.
    private let cutRow: Int?
    private let cutColumn: Int?
    /// How many of each kind there are, in their order.
    private var counts = (below: 0, whole: 0, right: 0, corner: 0)

    /// - Parameters:
    ///   - tiles: Tiles of the chunk.
    ///   - tile: The variant.
    ///   - height: Rows of the output.
    ///   - width: Columns of the output.
    init(_ tiles: Range<Int>, of tile: WinogradTile, height: Int, width: Int) {
        self.tiles = tiles
        tilesPerRow = (width + tile.size - 1) / tile.size
        cutRow = height % tile.size == 0 ? nil : height / tile.size
        cutColumn = width % tile.size == 0 ? nil : width / tile.size
        forEachPiece { row, whole, cut in
            if row == cutRow {
                counts.below += whole.count
                counts.corner += cut.count
            } else {
                counts.whole += whole.count
                counts.right += cut.count
            }
        }
    }

    /// The row of each row of tiles, its tiles that are whole in their width, and those that are not.
    private func forEachPiece(_ body: (_ row: Int, _ whole: Range<Int>, _ cut: Range<Int>) -> Void) {
        var first = tiles.lowerBound
        while first < tiles.upperBound {
            let row = first / tilesPerRow
            let end = min(tiles.upperBound, (row + 1) * tilesPerRow)
            let border = max(first, min(end, row * tilesPerRow + (cutColumn ?? tilesPerRow)))
            body(row, first..<border, border..<end)
            first = end
        }
    }

    /// Runs of tiles, and the place in the chunk of the first of each.
    func forEachRun(_ body: (_ tiles: Range<Int>, _ place: Int) -> Void) {
        if cutRow == nil, cutColumn == nil {
            body(tiles, 0)
            return
        }
        var (below, whole) = (0, counts.below)
        var right = whole + counts.whole
        var corner = right + counts.right
        forEachPiece { row, pieces, cut in
            if row == cutRow {
                if !pieces.isEmpty { body(pieces, below) }
                if !cut.isEmpty { body(cut, corner) }
                below += pieces.count
                corner += cut.count
            } else {
                if !pieces.isEmpty { body(pieces, whole) }
                if !cut.isEmpty { body(cut, right) }
                whole += pieces.count
                right += cut.count
            }
        }
    }

    /// The places of the tiles that need the product at a position.
    func places(of position: WinogradTile.Position) -> Range<Int> {
        let first = position.isForLastRow ? counts.below : 0
        var end = tiles.count
        if position.isForLastColumn {
            end -= counts.right + counts.corner
        } else if position.isForLastRow {
            end -= counts.corner
        }
        return first..<max(first, end)
    }
}
