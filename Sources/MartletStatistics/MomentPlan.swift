import Foundation
import MartletInference
import MartletKernelsBaseline
import MartletNetworks

/// How the moments of one layer are gathered from inputs of one size: the form, the signals, the tiles of their
/// products, and how many images are worked on at once. All of it follows from the layer's shape and the vectors' length,
/// never from the number of threads.
struct MomentPlan {
    let form: MomentForm
    let geometry: MomentGeometry
    let tiles: MomentTiles
    /// Lengths of the transform, in the Fourier form.
    let fourier: (height: FourierAxis, width: FourierAxis)?
    /// The lengths that border lines are transformed in, along the width and along the height; `nil` where they are
    /// multiplied as they are: in the other forms, and where a line has so few shifts that they cost no more one by one.
    let lineAxes: [FourierAxis?]
    /// Rows and columns of a signal as it lies in memory: with zeros behind it, where shifts reach over its end.
    let signalRows: Int
    let signalColumns: Int
    /// The rows, columns and elements that border terms need, in order.
    let rowLines: [Int]
    let columnLines: [Int]
    let points: [Point]
    /// The windows over rows and over columns whose sums the mean needs, and those of each tap.
    let rowWindows: [Range<Int>]
    let columnWindows: [Range<Int>]
    /// Where a window begins or ends: what lies between two neighbouring bounds is summed once, for all windows.
    let rowBounds: [Int]
    let columnBounds: [Int]
    /// The windows, counted in the parts between bounds.
    let rowSpans: [Range<Int>]
    let columnSpans: [Range<Int>]

    /// An element of a signal.
    struct Point: Hashable {
        var row: Int
        var column: Int
    }

    init(form: MomentForm, window: SlidingWindow, channels: Int, groups: Int, lanes: Int) {
        self.form = form
        geometry = MomentGeometry(window: window, channels: channels, groups: groups, unfolds: form == .unfolded)
        tiles = MomentTiles(geometry: geometry, lanes: lanes, unfolds: form == .unfolded)
        let (height, width) = (geometry.height, geometry.width)
        if form == .fourier {
            fourier = (
                FourierAxis(atLeast: height.extent + height.maximumLag),
                FourierAxis(atLeast: width.extent + width.maximumLag)
            )
            (signalRows, signalColumns) = (height.extent, width.extent)
        } else {
            fourier = nil
            (signalRows, signalColumns) = (height.extent + height.maximumLag, width.extent + width.maximumLag)
        }
        lineAxes = [width, height].map { along in
            form == .fourier && along.maximumLag > 1
                ? FourierAxis(atLeast: along.extent + along.maximumLag) : nil
        }
        var (rows, columns): (Set<Int>, Set<Int>) = ([], [])
        var points: Set<Point> = []
        for term in tiles.kinds.flatMap(\.terms) {
            switch term {
            case .lag: break
            case .row(let n, let dy, _): rows.formUnion([n, n + dy])
            case .column(let m, _, let dx): columns.formUnion([m, m + dx])
            case .point(let n, let m, let dy, let dx):
                points.formUnion([Point(row: n, column: m), Point(row: n + dy, column: m + dx)])
            }
        }
        rowLines = rows.sorted()
        columnLines = columns.sorted()
        self.points = points.sorted { ($0.row, $0.column) < ($1.row, $1.column) }
        func windows(_ axis: SignalAxis) -> [Range<Int>] {
            Set(axis.taps.indices.map { MomentPlan.window(axis, $0) })
                .sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        }
        rowWindows = windows(height)
        columnWindows = windows(width)
        func cut(_ windows: [Range<Int>]) -> (bounds: [Int], spans: [Range<Int>]) {
            let bounds = Set(windows.flatMap { [$0.lowerBound, $0.upperBound] }).sorted()
            let place = Dictionary(uniqueKeysWithValues: bounds.enumerated().map { ($1, $0) })
            return (bounds, windows.map { (place[$0.lowerBound] ?? 0)..<(place[$0.upperBound] ?? 0) })
        }
        (rowBounds, rowSpans) = cut(rowWindows)
        (columnBounds, columnSpans) = cut(columnWindows)
    }

    /// The elements that a tap sees, over all that any tap sees.
    static func window(_ axis: SignalAxis, _ tap: Int) -> Range<Int> {
        let start = axis.taps[tap].start
        let low = min(max(0, start), axis.extent)
        return low..<max(low, min(axis.extent, start + axis.outputs))
    }

    /// Whether border lines are multiplied by way of their spectra.
    func hasSpectra(of axis: LineTables.Axis) -> Bool { lineAxes[axis.rawValue] != nil }

    /// How many frequencies' products a thread holds.
    var frequenciesAtOnce: Int {
        max(fourier?.height.count ?? 0, lineFrequencies(.row), lineFrequencies(.column))
    }

    /// Whether the products of one image's signals are finished before the next image's: where every patch is written out and
    /// an image is long enough for the sums to be read and written seldom.
    var separatesImages: Bool { form == .unfolded && signalRows * signalColumns >= 96 }

    /// Whether a column of frequencies is transformed when it is multiplied: where all lags' sums stay in a cache meanwhile.
    /// All spectra of a large image do not.
    var takesColumnsInTurn: Bool { fourier != nil && tiles.lagCount <= 128 << 10 }

    /// The columns of frequencies that are summed up together, where they are taken in turn.
    var columnParts: [Range<Int>] {
        guard let fourier else { return [] }
        let columns = fourier.width.count / 2 + 1
        let parts = max(1, min(8, columns / 2))
        return (0..<parts).map { columns * $0 / parts..<columns * ($0 + 1) / parts }
    }

    /// Whether the signals are the blocks of an image's channels as they lie: one signal a channel, of all its pixels.
    func takes(_ input: BlockedInput) -> Bool {
        func isWhole(_ axis: SignalAxis, _ extent: Int) -> Bool {
            axis.stride == 1 && axis.phases == [.init(first: 0, support: 0..<extent)]
        }
        let isAsLong = isWhole(geometry.height, signalRows) && isWhole(geometry.width, signalColumns)
        let isOneRun = separatesImages && input.rowStride == signalColumns * tiles.lanes
        return geometry.phases.count == 1 && isAsLong && (isOneRun || form == .fourier)
            && (input.height, input.width, input.lanes) == (signalRows, signalColumns, tiles.lanes)
    }

    /// Floats that one image's signals take, or what is held of their spectra.
    var floatsPerImage: Int {
        let numbers =
            if let fourier {
                takesColumnsInTurn
                    ? fourier.width.count * (fourier.height.count + 1)
                    : (fourier.width.count / 2 + 1) * fourier.height.count * 3
            } else { signalRows * signalColumns }
        return tiles.blocks * tiles.lanes * numbers
    }

    /// How many of `images` images are worked on at once: an even number, or as many as are left, about 128 MiB. Where every
    /// patch is written out, the products of few images take as long as those of many, and 16 MiB are still in a cache
    /// when they are multiplied.
    func imagesAtOnce(of images: Int) -> Int {
        let floats = form == .unfolded ? 4 << 20 : 32 << 20
        let most = max(2, floats / max(1, floatsPerImage))
        let parts = (images + most - 1) / most
        return parts < 2 ? images : ((images + parts - 1) / parts + 1) / 2 * 2
    }

    /// The bytes that the sums take.
    var sumBytes: Int {
        let windows = tiles.blocks * rowWindows.count * columnWindows.count * tiles.lanes
        return tiles.count * 8 + tiles.lagCount * 4 + windows * 8
    }

    /// The bytes that the signals of a step take, with all that is made of them.
    func scratchBytes(images: Int, workers: Int) -> Int {
        let count = min(images, imagesAtOnce(of: images))
        let vectors = tiles.blocks * tiles.lanes * count
        let rows = hasSpectra(of: .row) ? 0 : rowLines.count * (geometry.width.extent + geometry.width.maximumLag)
        let columns =
            hasSpectra(of: .column) ? 0 : columnLines.count * (geometry.height.extent + geometry.height.maximumLag)
        let borders =
            vectors * (rows + columns + points.count + rowWindows.count * columnWindows.count)
            + lineFloats(.row, images: count) + lineFloats(.column, images: count) + lineWork * workers
        let square = tiles.lanes * tiles.lanes
        let terms = (tiles.kinds.map(\.terms.count).max() ?? 0) * (tiles.tasks.map(\.count).max() ?? 1)
        var perWorker = (terms + 4 + 4 * frequenciesAtOnce) * square
        var lags = 0
        if let fourier {
            let plane = (fourier.width.count + 2) * (fourier.height.count + 2)
            perWorker = max(perWorker, plane * 2 * tiles.lanes)
            if takesColumnsInTurn {
                let column = fourier.height.count * (3 * (count + 1) * tiles.blocks + 4) * tiles.lanes
                perWorker = max(perWorker, column + (4 * fourier.height.count + 4) * square)
                lags = columnParts.count * tiles.lagCount
            }
            perWorker += 2 * signalRows * signalColumns * tiles.lanes
        }
        return 4 * (floatsPerImage * (count + 1) + borders + lags + (perWorker + 64) * workers)
    }

    /// Multiplications of vectors for `images` images, roughly, and what else costs as much time.
    func cost(images: Int) -> Double {
        let lanes = Double(tiles.lanes)
        let count = Double(images)
        let plane = Double(signalRows * signalColumns)
        var cost = Double(tiles.blocks) * plane * count * (lanes * 0.5 + Double(columnWindows.count))
        var kindCounts = [Int](repeating: 0, count: tiles.kinds.count)
        for tile in tiles.tiles { kindCounts[tile.kind] += 1 }
        for (kind, tileCount) in zip(tiles.kinds, kindCounts) {
            var each = 0.0
            for term in kind.terms {
                switch term {
                case .lag: if fourier == nil { each += plane * count * lanes }
                case .row: each += lineCost(.row, length: signalColumns, images: count)
                case .column: each += lineCost(.column, length: signalRows, images: count)
                case .point: each += (count + 8) * lanes
                }
                // Sums in double precision are read and written in memory.
                each += lanes * 12
            }
            if let fourier {
                let frequencies = Double((fourier.width.count / 2 + 1) * fourier.height.count)
                let sums = Double(1 + geometry.height.maximumLag)
                each += frequencies * lanes * (3 * count + 3 * sums + 4)
                each += Double(fourier.width.count / 2 + 1) * Double(kind.lagCount) * lanes * 6
            }
            cost += each * Double(tileCount)
        }
        if let fourier {
            let (rows, columns) = (Double(geometry.height.extent), Double(fourier.width.count))
            let transforms = rows * fourier.width.cost + columns * fourier.height.cost
            let separation = columns * Double(fourier.height.count) * 6
            cost += Double(tiles.blocks) * count / 2 * (transforms * 2 + separation)
        }
        return cost
    }

    /// What one shift of two lines costs a tile.
    private func lineCost(_ axis: LineTables.Axis, length: Int, images: Double) -> Double {
        let lanes = Double(tiles.lanes)
        guard let spectra = lineAxes[axis.rawValue] else { return (Double(length) * images + 8) * lanes }
        let lag = axis == .row ? geometry.width.maximumLag : geometry.height.maximumLag
        // All shifts share the products of the spectra, and two of them the sums.
        return Double(spectra.count / 2 + 1) * lanes * (3 * images / Double(2 * lag + 1) + 2)
    }

    /// The plan for a layer, in the cheapest form unless told which.
    static func best(
        window: SlidingWindow, channels: Int, groups: Int, lanes: Int, images: Int, form: MomentForm? = nil
    ) -> MomentPlan {
        func plan(_ form: MomentForm) -> MomentPlan {
            MomentPlan(form: form, window: window, channels: channels, groups: groups, lanes: lanes)
        }
        if let form { return plan(form) }
        // With one tap there is nothing to share, and with few outputs for many taps next to nothing, but much to plan.
        let taps = Double(window.height.kernel) * Double(window.width.kernel)
        let outputs = Double(window.height.output) * Double(window.width.output)
        if taps == 1 || taps * taps > 64 * outputs { return plan(.unfolded) }
        let candidates = MomentForm.allCases.map(plan)
        return candidates.min { $0.cost(images: images) < $1.cost(images: images) } ?? candidates[0]
    }
}
