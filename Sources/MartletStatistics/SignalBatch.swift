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
    private let signals: UnsafeMutablePointer<Float>
    private let rows: UnsafeMutablePointer<Float>
    private let columns: UnsafeMutablePointer<Float>
    private let points: UnsafeMutablePointer<Float>
    private let spectra: UnsafeMutablePointer<Float>
    private let rowLength: Int
    private let columnLength: Int
    private let lanes: Int

    init(plan: MomentPlan, kernels: MomentKernels, scratch: Scratch, first: Int, count: Int) {
        self.plan = plan
        self.kernels = kernels
        self.scratch = scratch
        self.first = first
        self.count = count
        lanes = plan.tiles.lanes
        let (height, width) = (plan.geometry.height, plan.geometry.width)
        rowLength = width.extent + width.maximumLag
        columnLength = height.extent + height.maximumLag
        let vectors = plan.tiles.blocks * count * lanes
        signals = scratch.floats(.signals, vectors * plan.signalRows * plan.signalColumns)
        windowSums = scratch.floats(.windows, vectors * plan.rowWindows.count * plan.columnWindows.count)
        rows = scratch.floats(.rows, vectors * plan.rowLines.count * rowLength)
        columns = scratch.floats(.columns, vectors * plan.columnLines.count * columnLength)
        points = scratch.floats(.points, vectors * plan.points.count)
        let even = (count + 1) / 2 * 2
        let frequencies = plan.fourier.map { ($0.width.count / 2 + 1) * $0.height.count } ?? 0
        spectra = scratch.floats(.spectra, plan.tiles.blocks * frequencies * even * 3 * lanes)
    }

    private var plane: Int { plan.signalRows * plan.signalColumns * lanes }

    private func signal(block: Int, image: Int) -> UnsafeMutablePointer<Float> {
        signals + (block * count + image) * plane
    }

    // MARK: Packing

    /// Puts the input's channels into lanes, and sums up the windows.
    func pack(_ input: SignalSource, pool: ThreadPool) {
        let windows = plan.rowWindows.count * plan.columnWindows.count * lanes
        pool.forEach(plan.tiles.blocks * count) { task in
            let (block, image) = (task / count, task % count)
            switch input {
            case .planes(let planes): pack(planes, block: block, image: image)
            case .blocks(let blocks): pack(blocks, block: block, image: image)
            }
            sumWindows(signal(block: block, image: image), into: windowSums + task * windows)
        }
    }

    private func pack(_ input: UnsafePointer<Float>, block: Int, image: Int) {
        let geometry = plan.geometry
        let target = signal(block: block, image: image)
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
        func place(_ y: SignalAxis.Phase, _ x: SignalAxis.Phase) -> Int {
            (y.support.lowerBound * plan.signalColumns + x.support.lowerBound) * lanes
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
                source, depth * planeSize, rowStep, target + place(y, x), 0, targetRowStep, lanes, signals.count,
                y.support.count, x.support.count)
            return
        }
        target.update(repeating: 0, count: plane)
        var signal = signals.lowerBound
        while signal < signals.upperBound {
            // Four neighbouring channels of one phase together, where there are so many.
            let channel = signal % geometry.channels
            let together = channel + 4 <= geometry.channels && signal + 4 <= signals.upperBound ? 4 : 1
            if let (source, y, x) = source(signal) {
                kernels.fillLanes(
                    source, depth * planeSize, together, rowStep, geometry.width.stride, y.support.count,
                    x.support.count, target + place(y, x) + signal - signals.lowerBound, targetRowStep)
            }
            signal += together
        }
    }

    /// The same from blocks, each of which is one of signals: channels of one phase, whole vectors at a time.
    private func pack(_ input: BlockedInput, block: Int, image: Int) {
        let geometry = plan.geometry
        let target = signal(block: block, image: image)
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

    /// The sums of what each window of rows and columns sees.
    private func sumWindows(_ signal: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        let columnWindows = plan.columnWindows
        target.update(repeating: 0, count: plan.rowWindows.count * columnWindows.count * lanes)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: lanes) { sum in
            guard let sum = sum.baseAddress else { return }
            for row in 0..<plan.geometry.height.extent {
                for (c, columns) in columnWindows.enumerated() {
                    sum.update(repeating: 0, count: lanes)
                    kernels.addVectors(
                        signal + (row * plan.signalColumns + columns.lowerBound) * lanes, columns.count, sum)
                    for (r, rows) in plan.rowWindows.enumerated() where rows.contains(row) {
                        kernels.addVectors(sum, 1, target + (r * columnWindows.count + c) * lanes)
                    }
                }
            }
        }
    }

    // MARK: Borders

    /// Copies the rows, columns and elements that border terms need, image after image.
    func gatherBorders(pool: ThreadPool) {
        if plan.rowLines.isEmpty && plan.columnLines.isEmpty { return }
        let (height, width) = (plan.geometry.height.extent, plan.geometry.width.extent)
        pool.forEach(plan.tiles.blocks * count) { task in
            let (block, image) = (task / count, task % count)
            let signal = signal(block: block, image: image)
            let rowStep = plan.signalColumns * lanes
            for (index, row) in plan.rowLines.enumerated() {
                let target = rowLine(index, block: block) + image * rowLength * lanes
                target.update(from: signal + row * rowStep, count: width * lanes)
                (target + width * lanes).update(repeating: 0, count: (rowLength - width) * lanes)
            }
            for (index, column) in plan.columnLines.enumerated() {
                let target = columnLine(index, block: block) + image * columnLength * lanes
                kernels.copyVectors(signal + column * lanes, rowStep, height, target)
                (target + height * lanes).update(repeating: 0, count: (columnLength - height) * lanes)
            }
            for (index, point) in plan.points.enumerated() {
                (self.point(index, block: block) + image * lanes)
                    .update(from: signal + (point.row * plan.signalColumns + point.column) * lanes, count: lanes)
            }
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
        _ term: MomentTerm, _ tiles: [MomentTiles.Tile], into target: UnsafeMutablePointer<Float>, step: Int,
        unused: UnsafeMutablePointer<Float>
    ) {
        func add(
            _ shift: Int, length: Int, _ left: (Int) -> UnsafeMutablePointer<Float>,
            _ right: (Int) -> UnsafeMutablePointer<Float>
        ) {
            // Three pieces of signals stay in the nearest cache while they are multiplied, those of all tiles in the next.
            let piece = 128
            let total = length - abs(shift)
            for start in Swift.stride(from: 0, to: total, by: piece) {
                let length = min(piece, total - start)
                var index = 0
                while index < tiles.count {
                    let row = tiles[index].row
                    let a = left(row) + (max(0, -shift) + start) * lanes
                    let b = right(tiles[index].column) + (max(0, shift) + start) * lanes
                    let hasNext = index + 1 < tiles.count && tiles[index + 1].row == row
                    let next = hasNext ? right(tiles[index + 1].column) + (max(0, shift) + start) * lanes : nil
                    let products = target + index * step
                    kernels.blockProducts(a, b, next, length, products, hasNext ? products + step : unused)
                    index += hasNext ? 2 : 1
                }
            }
        }
        switch term {
        case .lag(let dy, let dx):
            add(
                dy * plan.signalColumns + dx, length: count * plan.signalRows * plan.signalColumns,
                { signal(block: $0, image: 0) }, { signal(block: $0, image: 0) })
        case .row(let n, let dy, let dx):
            guard let first = index(of: n, in: plan.rowLines), let second = index(of: n + dy, in: plan.rowLines) else {
                return
            }
            add(dx, length: count * rowLength, { rowLine(first, block: $0) }, { rowLine(second, block: $0) })
        case .column(let m, let dy, let dx):
            guard let first = index(of: m, in: plan.columnLines), let second = index(of: m + dx, in: plan.columnLines)
            else { return }
            add(dy, length: count * columnLength, { columnLine(first, block: $0) }, { columnLine(second, block: $0) })
        case .point(let n, let m, let dy, let dx):
            guard let first = plan.points.firstIndex(of: .init(row: n, column: m)),
                let second = plan.points.firstIndex(of: .init(row: n + dy, column: m + dx))
            else { return }
            add(0, length: count, { point(first, block: $0) }, { point(second, block: $0) })
        }
    }

    private func index(of line: Int, in lines: [Int]) -> Int? { lines.firstIndex(of: line) }

    // MARK: Spectra

    /// Floats between neighbouring vertical frequencies.
    var frequencyStep: Int { (count + 1) / 2 * 2 * 3 * lanes }

    /// The spectra of a block in a column of frequencies: `[vertical frequency, image, 3, lane]`, the
    /// real part, and the imaginary part added to it and subtracted from it.
    func spectrum(block: Int, column: Int) -> UnsafeMutablePointer<Float> {
        guard let fourier = plan.fourier else { return spectra }
        return spectra + (block * (fourier.width.count / 2 + 1) + column) * fourier.height.count * frequencyStep
    }

    /// Transforms the signals, two images at a time: the real and the imaginary part of one transform.
    func transform(_ fourier: (height: FourierAxis, width: FourierAxis), pool: ThreadPool) {
        let (rows, width) = (plan.geometry.height.extent, plan.geometry.width.extent)
        let (ny, nx) = (fourier.height.count, fourier.width.count)
        let unit = 2 * lanes
        let pairs = (count + 1) / 2
        let perWorker = (rows * nx + nx + 4 * ny) * unit + 64
        let work = scratch.floats(.workers, perWorker * pool.threadCount)
        let (vertical, horizontal) = (Transform(fourier.height, kernels), Transform(fourier.width, kernels))
        pool.forEach(plan.tiles.blocks * pairs) { task, worker in
            let (block, pair) = (task / pairs, task % pairs)
            let plane = work + worker * perWorker
            let line = plane + rows * nx * unit
            let columns = line + nx * unit
            let a = signal(block: block, image: 2 * pair)
            let b = 2 * pair + 1 < count ? signal(block: block, image: 2 * pair + 1) : nil
            for row in 0..<rows {
                let offset = row * plan.signalColumns * lanes
                let target = plane + row * nx * unit
                kernels.pairSignals(a + offset, b.map { UnsafePointer($0 + offset) }, width, nx, target)
                let result = horizontal.run(target, work: line)
                if result != target { target.update(from: result, count: nx * unit) }
            }
            func column(_ frequency: Int, _ room: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
                kernels.gatherColumn(plane + frequency * unit, nx * unit, rows, ny, room)
                return vertical.run(room, work: room + ny * unit)
            }
            for frequency in 0..<nx / 2 + 1 {
                let mirrored = (nx - frequency) % nx
                let result = column(frequency, columns)
                let other = mirrored == frequency ? result : column(mirrored, columns + 2 * ny * unit)
                kernels.separateSpectra(
                    result, other, ny, spectrum(block: block, column: frequency) + pair * 3 * unit, frequencyStep)
            }
        }
    }

    /// A transform of one length.
    private struct Transform {
        let axis: FourierAxis
        let kernels: MomentKernels

        init(_ axis: FourierAxis, _ kernels: MomentKernels) {
            self.axis = axis
            self.kernels = kernels
        }

        func run(
            _ x: UnsafeMutablePointer<Float>, work: UnsafeMutablePointer<Float>
        ) -> UnsafeMutablePointer<Float> {
            axis.factors.withUnsafeBufferPointer { factors in
                axis.twiddles.withUnsafeBufferPointer { twiddles in
                    guard let factors = factors.baseAddress, let twiddles = twiddles.baseAddress else { return x }
                    return kernels.fourierTransform(x, work, axis.count, factors, axis.factors.count, twiddles)
                }
            }
        }
    }
}
