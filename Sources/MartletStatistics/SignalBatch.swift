import MartletInference
import MartletParallelism

/// The signals of some images in vectors of channels: `[block, image, row, column, lane]`, with what the products need
/// beside them.
struct SignalBatch {
    let plan: MomentPlan
    let kernels: MomentKernels
    let scratch: Scratch
    /// The first of the images; the outputs along the depth count as images.
    let first: Int
    let count: Int
    /// `[block, image, window of rows, window of columns, lane]`
    let windowSums: UnsafeMutablePointer<Float>
    private let input: SignalSource
    /// The input, where it lies as the signals would.
    private let asItLies: BlockedInput?
    /// All signals, or two for each thread where their spectra are all that is wanted.
    private let signals: UnsafeMutablePointer<Float>
    private let rows: UnsafeMutablePointer<Float>
    private let columns: UnsafeMutablePointer<Float>
    private let points: UnsafeMutablePointer<Float>
    private let rowLength: Int
    private let columnLength: Int
    private let lanes: Int

    init(
        plan: MomentPlan, kernels: MomentKernels, scratch: Scratch, input: SignalSource, first: Int, count: Int,
        workers: Int
    ) {
        if case .blocks(let blocks) = input, plan.takes(blocks) { asItLies = blocks } else { asItLies = nil }
        self.plan = plan
        self.kernels = kernels
        self.scratch = scratch
        self.input = input
        self.first = first
        self.count = count
        lanes = plan.tiles.lanes
        let (height, width) = (plan.geometry.height, plan.geometry.width)
        rowLength = width.extent + width.maximumLag
        columnLength = height.extent + height.maximumLag
        let planes = plan.tiles.blocks * count
        let packed = asItLies != nil ? 0 : plan.fourier != nil ? 2 * workers : planes
        signals = scratch.floats(.signals, packed * plan.signalRows * plan.signalColumns * lanes)
        windowSums = scratch.floats(.windows, planes * plan.rowWindows.count * plan.columnWindows.count * lanes)
        rows = scratch.floats(
            .rows, plan.hasSpectra(of: .row) ? 0 : planes * plan.rowLines.count * rowLength * lanes)
        columns = scratch.floats(
            .columns, plan.hasSpectra(of: .column) ? 0 : planes * plan.columnLines.count * columnLength * lanes)
        points = scratch.floats(.points, planes * plan.points.count * lanes)
    }

    /// Floats from one row of a signal to the next.
    var rowStep: Int { asItLies?.rowStride ?? plan.signalColumns * lanes }

    private var plane: Int { plan.signalRows * plan.signalColumns * lanes }

    /// A block of an image, which is there as long as signals are kept.
    private func signal(block: Int, image: Int) -> UnsafePointer<Float> {
        if let asItLies { return asItLies.plane(image: first + image, block: block) }
        return UnsafePointer(signals + (block * count + image) * plane)
    }

    // MARK: Packing

    /// Puts the input's channels into lanes, unless they lie there, sums up the windows and copies what border terms need of it.
    /// - Parameter body: Gets each block of two images, the second of which may be missing, before it is overwritten.
    func prepare(
        pool: ThreadPool,
        _ body: (
            _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, _ block: Int, _ pair: Int, _ worker: Int
        ) -> Void
    ) {
        let pairs = (count + 1) / 2
        let windows = plan.rowWindows.count * plan.columnWindows.count * lanes
        pool.forEach(plan.tiles.blocks * pairs) { task, worker in
            let (block, pair) = (task / pairs, task % pairs)
            func prepared(_ image: Int) -> UnsafePointer<Float> {
                let place = plan.fourier != nil ? 2 * worker + image % 2 : block * count + image
                let signal = pack(block: block, image: image, into: signals + place * plane)
                sumWindows(signal, into: windowSums + (block * count + image) * windows)
                copyBorders(signal, block: block, image: image)
                return signal
            }
            body(prepared(2 * pair), 2 * pair + 1 < count ? prepared(2 * pair + 1) : nil, block, pair, worker)
        }
    }

    /// A block of an image's signals: where it lies, or in `target`.
    private func pack(block: Int, image: Int, into target: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        if let asItLies { return asItLies.plane(image: first + image, block: block) }
        switch input {
        case .planes(let planes): pack(planes, block: block, image: image, into: target)
        case .blocks(let blocks): pack(blocks, block: block, image: image, into: target)
        }
        return UnsafePointer(target)
    }

    private func pack(
        _ input: UnsafePointer<Float>, block: Int, image: Int, into target: UnsafeMutablePointer<Float>
    ) {
        let geometry = plan.geometry
        let signals = block * lanes..<min((block + 1) * lanes, geometry.signals)
        let (outer, output) = ((first + image) / geometry.depth.output, (first + image) % geometry.depth.output)
        let planeSize = geometry.inputHeight * geometry.inputWidth
        let depth = geometry.depth.input
        func source(_ signal: Int) -> (source: UnsafePointer<Float>, y: SignalAxis.Phase, x: SignalAxis.Phase)? {
            let (phase, channel) = (geometry.phases[signal / geometry.channels], signal % geometry.channels)
            let (y, x) = (geometry.height.phases[phase.y], geometry.width.phases[phase.x])
            guard let z = geometry.plane(depthTap: phase.depthTap, output: output), !y.support.isEmpty,
                !x.support.isEmpty
            else { return nil }
            let row = y.first + geometry.height.stride * y.support.lowerBound
            let column = x.first + geometry.width.stride * x.support.lowerBound
            let plane = (outer * geometry.channels + channel) * depth + z
            return (input + plane * planeSize + row * geometry.inputWidth + column, y, x)
        }
        let rowStep = geometry.height.stride * geometry.inputWidth
        let targetRowStep = plan.signalColumns * lanes
        if geometry.width.stride == 1,
            signals.lowerBound / geometry.channels == (signals.upperBound - 1) / geometry.channels,
            let (source, y, x) = source(signals.lowerBound)
        {
            // Neighbouring channels of one phase: four at a time.
            if y.support.count < plan.signalRows || x.support.count < plan.signalColumns {
                target.update(repeating: 0, count: plane)
            }
            kernels.planarToBlocked(
                source, depth * planeSize, rowStep,
                target + (y.support.lowerBound * plan.signalColumns + x.support.lowerBound) * lanes, 0, targetRowStep,
                lanes, signals.count, y.support.count, x.support.count)
            return
        }
        var sources: [(lane: Int, channels: Int, source: UnsafePointer<Float>, y: Range<Int>, x: Range<Int>)] = []
        var signal = signals.lowerBound
        while signal < signals.upperBound {
            // Four neighbouring channels of one phase together, where there are so many.
            let channel = signal % geometry.channels
            let together = channel + 4 <= geometry.channels && signal + 4 <= signals.upperBound ? 4 : 1
            if let (source, y, x) = source(signal) {
                sources.append((signal - signals.lowerBound, together, source, y.support, x.support))
            }
            signal += together
        }
        // Row by row: one row of all lanes stays in the cache while they are filled.
        for row in 0..<plan.signalRows {
            let target = target + row * targetRowStep
            target.update(repeating: 0, count: targetRowStep)
            for (lane, channels, source, y, x) in sources where y.contains(row) {
                kernels.fillLanes(
                    source + (row - y.lowerBound) * rowStep, depth * planeSize, channels, rowStep,
                    geometry.width.stride, 1, x.count, target + x.lowerBound * lanes + lane, targetRowStep)
            }
        }
    }

    /// The same from blocks, each of which is one of signals: channels of one phase, whole vectors at a time.
    private func pack(
        _ input: BlockedInput, block: Int, image: Int, into target: UnsafeMutablePointer<Float>
    ) {
        let geometry = plan.geometry
        let phase = geometry.phases[block * lanes / geometry.channels]
        let (y, x) = (geometry.height.phases[phase.y], geometry.width.phases[phase.x])
        let isWhole = y.support.count == plan.signalRows && x.support.count == plan.signalColumns
        if !isWhole { target.update(repeating: 0, count: plane) }
        if y.support.isEmpty || x.support.isEmpty { return }
        let (rowStride, columnStride) = (geometry.height.stride, geometry.width.stride)
        let source =
            input.plane(image: first + image, block: block * lanes % geometry.channels / lanes)
            + (y.first + rowStride * y.support.lowerBound) * input.rowStride
            + (x.first + columnStride * x.support.lowerBound) * lanes
        if isWhole, rowStride == 1, columnStride == 1, input.rowStride == plan.signalColumns * lanes {
            target.update(from: source, count: plane)
            return
        }
        let place = target + (y.support.lowerBound * plan.signalColumns + x.support.lowerBound) * lanes
        for row in 0..<y.support.count {
            kernels.copyVectors(
                source + row * rowStride * input.rowStride, columnStride * lanes, x.support.count,
                place + row * plan.signalColumns * lanes)
        }
    }

    /// The sums of what each window of rows and columns sees: those of the parts that all bounds of windows cut a signal
    /// into, and then those of each window's parts, which are a rectangle of parts.
    private func sumWindows(_ signal: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        let (rows, columns) = (plan.rowBounds, plan.columnBounds)
        let partColumns = columns.count - 1
        let partCount = (rows.count - 1) * partColumns
        target.update(repeating: 0, count: plan.rowWindows.count * plan.columnWindows.count * lanes)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: partCount * lanes) { parts in
            guard let parts = parts.baseAddress else { return }
            parts.update(repeating: 0, count: partCount * lanes)
            for part in 0..<partCount {
                let (r, c) = (part / partColumns, part % partColumns)
                kernels.addVectors(
                    signal + rows[r] * rowStep + columns[c] * lanes, rows[r + 1] - rows[r], rowStep,
                    columns[c + 1] - columns[c], parts + part * lanes)
            }
            for (r, rows) in plan.rowSpans.enumerated() {
                for (c, columns) in plan.columnSpans.enumerated() {
                    kernels.addVectors(
                        parts + (rows.lowerBound * partColumns + columns.lowerBound) * lanes, rows.count,
                        partColumns * lanes, columns.count, target + (r * plan.columnSpans.count + c) * lanes)
                }
            }
        }
    }

    // MARK: Borders

    /// Copies the rows, columns and elements that border terms need, image after image.
    private func copyBorders(_ signal: UnsafePointer<Float>, block: Int, image: Int) {
        let (height, width) = (plan.geometry.height.extent, plan.geometry.width.extent)
        for (index, row) in plan.rowLines.enumerated() where !plan.hasSpectra(of: .row) {
            let target = rowLine(index, block: block) + image * rowLength * lanes
            target.update(from: signal + row * rowStep, count: width * lanes)
            (target + width * lanes).update(repeating: 0, count: (rowLength - width) * lanes)
        }
        for (index, column) in plan.columnLines.enumerated() where !plan.hasSpectra(of: .column) {
            let target = columnLine(index, block: block) + image * columnLength * lanes
            kernels.copyVectors(signal + column * lanes, rowStep, height, target)
            (target + height * lanes).update(repeating: 0, count: (columnLength - height) * lanes)
        }
        for (index, point) in plan.points.enumerated() {
            (self.point(index, block: block) + image * lanes)
                .update(from: signal + point.row * rowStep + point.column * lanes, count: lanes)
        }
    }

    private func rowLine(_ index: Int, block: Int) -> UnsafeMutablePointer<Float> {
        rows + (index * plan.tiles.blocks + block) * count * rowLength * lanes
    }

    private func columnLine(_ index: Int, block: Int) -> UnsafeMutablePointer<Float> {
        columns + (index * plan.tiles.blocks + block) * count * columnLength * lanes
    }

    private func point(_ index: Int, block: Int) -> UnsafeMutablePointer<Float> {
        points + (index * plan.tiles.blocks + block) * count * lanes
    }

    // MARK: Products

    /// Adds the products of a term for tiles that are sorted by rows and whose squares are `step` floats apart.
    func multiply(
        _ term: MomentTerm, _ tiles: ArraySlice<MomentTiles.Tile>, into target: UnsafeMutablePointer<Float>, step: Int,
        unused: UnsafeMutablePointer<Float>
    ) {
        func add(
            _ shift: Int, length: Int, then next: Int = 0, _ left: (Int) -> UnsafePointer<Float>,
            _ right: (Int) -> UnsafePointer<Float>
        ) {
            // Three pieces of signals stay in the nearest cache while they are multiplied, those of all tiles in the next.
            let total = length - abs(shift)
            let pieces = (total + 127) / 128
            let piece = pieces > 0 ? (total + pieces - 1) / pieces : 1
            for start in Swift.stride(from: 0, to: total, by: piece) {
                let length = min(piece, total - start)
                let ahead = start + piece < total ? piece * lanes : next > 0 ? next - start * lanes : 0
                var index = tiles.startIndex
                while index < tiles.endIndex {
                    let row = tiles[index].row
                    let a = left(row) + (max(0, -shift) + start) * lanes
                    let b = right(tiles[index].column) + (max(0, shift) + start) * lanes
                    let hasNext = index + 1 < tiles.endIndex && tiles[index + 1].row == row
                    let next = hasNext ? right(tiles[index + 1].column) + (max(0, shift) + start) * lanes : nil
                    let products = target + (index - tiles.startIndex) * step
                    kernels.blockProducts(a, b, next, length, products, hasNext ? products + step : unused, ahead)
                    index += hasNext ? 2 : 1
                }
            }
        }
        switch term {
        case .lag(let dy, let dx):
            let shift = dy * plan.signalColumns + dx
            // Image by image wherever an input might not be packed, so that the sums do not tell.
            let together = plan.separatesImages ? 1 : count
            for image in Swift.stride(from: 0, to: count, by: together) {
                let next =
                    image + together < count
                    ? signal(block: 0, image: image + together) - signal(block: 0, image: image) : 0
                add(
                    shift, length: together * plan.signalRows * plan.signalColumns, then: next,
                    { signal(block: $0, image: image) }, { signal(block: $0, image: image) })
            }
        case .row, .column:
            guard let (axis, first, second, lag) = plan.lines(of: term) else { return }
            let (line, length) = axis == .row ? (rowLine, rowLength) : (columnLine, columnLength)
            add(
                lag, length: count * length, { UnsafePointer(line(first, $0)) }, { UnsafePointer(line(second, $0)) })
        case .point(let n, let m, let dy, let dx):
            guard let first = plan.points.firstIndex(of: .init(row: n, column: m)),
                let second = plan.points.firstIndex(of: .init(row: n + dy, column: m + dx))
            else { return }
            add(
                0, length: count, { UnsafePointer(point(first, block: $0)) },
                { UnsafePointer(point(second, block: $0)) })
        }
    }
}
