/// The pairs of blocks of signals whose products are wanted, and where their sums are.
///
/// A block is as many signals as a vector register holds; a tile is a pair of blocks, of which the second does not come
/// after the first; it holds a square for each of its terms.
struct MomentTiles {
    /// The terms of all tiles whose blocks see the same phases.
    struct Kind {
        /// The terms; lags first, by the magnitude of their rows.
        var terms: [MomentTerm]
        /// How many of them are lags.
        var lagCount: Int
        /// How many pairs of taps have each lag.
        var lagWeights: [Double]
        /// For each pair of taps, where its terms are among `terms`; `nil` for taps that the blocks do not see.
        var places: [(added: [Int], subtracted: [Int])?]
    }

    /// A pair of blocks.
    struct Tile {
        var row: Int
        var column: Int
        var kind: Int
        /// Where its squares begin among all sums.
        var offset: Int
        /// Where the squares of its lags begin among those of all tiles.
        var lagOffset: Int
    }

    let lanes: Int
    let blocks: Int
    let kinds: [Kind]
    let tiles: [Tile]
    /// Tiles of a few neighbouring rows and columns, of the same kind, that are worked on together, by rows.
    let tasks: [Range<Int>]
    /// The number of sums.
    let count: Int
    /// The number of sums at lags.
    let lagCount: Int
    private let index: [Int]

    init(geometry: MomentGeometry, lanes: Int, unfolds: Bool) {
        self.lanes = lanes
        let signals = geometry.signals
        let blocks = (signals + lanes - 1) / lanes
        self.blocks = blocks
        let channels = geometry.channels
        func span(_ block: Int) -> Range<Int> { block * lanes..<min((block + 1) * lanes, signals) }
        let phases = (0..<blocks).map { block -> Set<Int> in Set(span(block).map { $0 / channels }) }
        let groups = (0..<blocks).map { block -> Set<Int> in
            Set(span(block).map { $0 % channels / geometry.channelsPerGroup })
        }
        var kinds: [Kind] = []
        var kindOf: [[Set<Int>]: Int] = [:]
        var tiles: [Tile] = []
        var index = [Int](repeating: -1, count: blocks * blocks)
        var (count, lagCount) = (0, 0)
        for column in 0..<blocks {
            for row in column..<blocks where !groups[row].isDisjoint(with: groups[column]) {
                let key = unfolds ? [] : [phases[row], phases[column]]
                let kind = kindOf[key] ?? kinds.count
                if kind == kinds.count {
                    kinds.append(
                        MomentTiles.kind(geometry, rows: phases[row], columns: phases[column], unfolds: unfolds))
                    kindOf[key] = kind
                }
                tiles.append(Tile(row: row, column: column, kind: kind, offset: 0, lagOffset: 0))
            }
        }
        // Rows and columns in groups: what a task reads of a few of each it multiplies with each other while it is in
        // the cache, and its sums stay there too. Rows from the longest to the shortest, so that the last tasks are short.
        let terms = max(1, kinds.map(\.terms.count).max() ?? 1)
        let columnsTogether = max(1, min(8, 256 / terms))
        let rowsTogether = max(1, min(8, blocks / 4, 512 / (terms * columnsTogether)))
        func key(_ tile: Tile) -> (Int, Int, Int) {
            (tile.column / columnsTogether, -(tile.row / rowsTogether), tile.kind)
        }
        tiles.sort {
            let (first, second) = (key($0), key($1))
            return first == second ? ($0.row, $0.column) < ($1.row, $1.column) : first < second
        }
        var tasks: [Range<Int>] = []
        for position in tiles.indices {
            tiles[position].offset = count
            tiles[position].lagOffset = lagCount
            let tile = tiles[position]
            index[tile.row * blocks + tile.column] = position
            count += kinds[tile.kind].terms.count * lanes * lanes
            lagCount += kinds[tile.kind].lagCount * lanes * lanes
            if let last = tasks.last, key(tiles[last.lowerBound]) == key(tile) {
                tasks[tasks.count - 1] = last.lowerBound..<position + 1
            } else {
                tasks.append(position..<position + 1)
            }
        }
        self.kinds = kinds
        self.tiles = tiles
        self.tasks = tasks
        self.count = count
        self.lagCount = lagCount
        self.index = index
    }

    /// The tile of a pair of blocks, the larger first; `nil` where it is not wanted.
    func tile(row: Int, column: Int) -> Tile? {
        let position = index[row * blocks + column]
        return position < 0 ? nil : tiles[position]
    }

    private static func kind(
        _ geometry: MomentGeometry, rows: Set<Int>, columns: Set<Int>, unfolds: Bool
    ) -> Kind {
        let count = geometry.taps.count
        if unfolds {
            let place: (added: [Int], subtracted: [Int])? = ([0], [])
            return Kind(
                terms: [.lag(dy: 0, dx: 0)], lagCount: 1, lagWeights: [1],
                places: Array(repeating: place, count: count * count))
        }
        var sums = [TapPairSum?](repeating: nil, count: count * count)
        var all: Set<MomentTerm> = []
        for first in 0..<count where rows.contains(geometry.phase(of: first)) {
            for second in 0..<count where columns.contains(geometry.phase(of: second)) {
                let sum = geometry.sum(first, second)
                sums[first * count + second] = sum
                all.formUnion(sum.added)
                all.formUnion(sum.subtracted)
            }
        }
        let terms = all.sorted { $0.order < $1.order }
        let place = Dictionary(uniqueKeysWithValues: terms.enumerated().map { ($1, $0) })
        let lagCount = terms.prefix { if case .lag = $0 { true } else { false } }.count
        var lagWeights = [Double](repeating: 0, count: lagCount)
        for sum in sums { if let lag = sum?.added.first, let place = place[lag] { lagWeights[place] += 1 } }
        return Kind(
            terms: terms, lagCount: lagCount, lagWeights: lagWeights,
            places: sums.map { sum in
                sum.map { ($0.added.compactMap { place[$0] }, $0.subtracted.compactMap { place[$0] }) }
            })
    }
}

extension MomentTerm {
    /// A key to sort by: lags first, by the magnitude of their rows, as the kernel wants them.
    fileprivate var order: (Int, Int, Int, Int, Int) {
        switch self {
        case .lag(let dy, let dx): (0, abs(dy), dy, dx, 0)
        case .row(let n, let dy, let dx): (1, n, dy, dx, 0)
        case .column(let m, let dy, let dx): (2, m, dy, dx, 0)
        case .point(let n, let m, let dy, let dx): (3, n, m, dy, dx)
        }
    }
}
