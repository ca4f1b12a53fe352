import MartletParallelism
import MartletTensors

/// The sums over the images seen so far that a layer's moments are put together from.
///
/// Products of up to a step's images are added up in single precision, those of all steps in double. Everything is split
/// by the layer's shape, so the sums do not depend on the number of threads.
final class MomentSums {
    let plan: MomentPlan
    let kernels: MomentKernels
    /// For each tile and each of its terms a square of the products of two blocks of signals, float64.
    private(set) var products: Tensor
    /// For each block of signals, window of rows, window of columns and lane the sum of what the window sees, float64.
    private(set) var sums: Tensor
    /// For each tile and each of its lags what the even steps gave less what the odd ones gave, float32.
    private(set) var halves: Tensor
    /// The number of patches seen.
    private(set) var count = 0
    private let tables: SpectralTables?
    private let lineTables: LineTables?

    /// No patches yet.
    /// - Throws: `TensorError` if the sums do not fit into memory.
    init(plan: MomentPlan, kernels: MomentKernels) throws {
        self.plan = plan
        self.kernels = kernels
        products = try Tensor(zeros: try Shape([plan.tiles.count]), elementType: .float64)
        sums = try Tensor(
            zeros: try Shape([
                plan.tiles.blocks, plan.rowWindows.count, plan.columnWindows.count, plan.tiles.lanes,
            ]), elementType: .float64)
        halves = try Tensor(zeros: try Shape([plan.tiles.lagCount]), elementType: .float32)
        tables = plan.fourier.map { SpectralTables(plan: plan, height: $0.height, width: $0.width, kernels: kernels) }
        lineTables = LineTables(plan: plan)
    }

    /// The bytes that the sums take.
    var byteCount: Int { products.byteCount + sums.byteCount + halves.byteCount }

    /// The sums of an interrupted run.
    func restore(products: Tensor, sums: Tensor, halves: Tensor, count: Int) -> Bool {
        guard products.shape == self.products.shape, sums.shape == self.sums.shape, halves.shape == self.halves.shape,
            products.elementType == .float64, sums.elementType == .float64, halves.elementType == .float32, count >= 0
        else { return false }
        self.products = products
        self.sums = sums
        self.halves = halves
        self.count = count
        return true
    }

    /// Adds the patches of a step's images.
    /// - Throws: ``StatisticsError/nonFinite(layer:)``.
    func add(
        _ input: SignalSource, images: Int, step: Int, layer: String, scratch: Scratch, pool: ThreadPool
    ) throws {
        let planes = images * plan.geometry.depth.output
        let (height, width) = (plan.geometry.height, plan.geometry.width)
        if height.extent > 0 && width.extent > 0 {
            let imagesAtOnce = plan.imagesAtOnce(of: planes)
            for first in stride(from: 0, to: planes, by: imagesAtOnce) {
                let batch = SignalBatch(
                    plan: plan, kernels: kernels, scratch: scratch, input: input, first: first,
                    count: min(imagesAtOnce, planes - first), workers: pool.threadCount)
                let spectra = SignalSpectra(batch, workers: pool.threadCount)
                let lines = lineTables.map { _ in LineSpectra(batch, workers: pool.threadCount) }
                batch.prepare(pool: pool) { a, b, block, pair, worker in
                    spectra?.transform(a, b, block: block, pair: pair, worker: worker)
                    lines?.transform(a, b, block: block, pair: pair, worker: worker)
                }
                try add(batch.windowSums, images: batch.count, layer: layer)
                try multiply(batch, spectra, lines, sign: step % 2 == 0 ? 1 : -1, pool: pool)
            }
        }
        count += planes * height.outputs * width.outputs
    }

    private func add(_ windows: UnsafePointer<Float>, images: Int, layer: String) throws {
        let size = plan.rowWindows.count * plan.columnWindows.count * plan.tiles.lanes
        var isFinite = true
        try sums.withMutableElements(of: Double.self) { sums in
            for block in 0..<plan.tiles.blocks {
                for image in 0..<images {
                    let source = windows + (block * images + image) * size
                    for index in 0..<size {
                        sums[block * size + index] += Double(source[index])
                        if !source[index].isFinite { isFinite = false }
                    }
                }
            }
        }
        if !isFinite { throw StatisticsError.nonFinite(layer: layer) }
    }

    /// Adds the products of a batch's signals, tile by tile.
    private func multiply(
        _ batch: SignalBatch, _ spectra: SignalSpectra?, _ lines: LineSpectra?, sign: Float, pool: ThreadPool
    ) throws {
        let tiles = plan.tiles
        let square = tiles.lanes * tiles.lanes
        let parts = spectra.flatMap { plan.takesColumnsInTurn ? multiplyColumns(batch, $0, pool: pool) : nil } ?? []
        let work = TileWork(plan: plan, workers: pool.threadCount, scratch: batch.scratch)
        // By way of spectra: all tiles' lags before this, lines run by run.
        func hasSpectra(_ term: MomentTerm) -> Bool {
            switch term {
            case .lag: plan.fourier != nil
            case .row: plan.hasSpectra(of: .row)
            case .column: plan.hasSpectra(of: .column)
            case .point: false
            }
        }
        try withTargets { base, halves in
            pool.forEach(tiles.tasks.count) { task, worker in
                let members = tiles.tiles[tiles.tasks[task]]
                let kindIndex = members[members.startIndex].kind
                let kind = tiles.kinds[kindIndex]
                let size = kind.terms.count * square
                let lagSize = kind.lagCount * square
                let partial = work.partial(worker)
                partial.update(repeating: 0, count: size * members.count)
                if let spectra, let tables = self.tables, parts.isEmpty {
                    tables.multiply(
                        members, columns: 0..<tables.columns, frequencyStep: spectra.frequencyStep,
                        images: batch.count, products: work.products(worker), sums: work.sums(worker),
                        partial: partial, partialStep: size, spectrum: spectra.held)
                }
                for (index, tile) in members.enumerated() {
                    let target = partial + index * size
                    for part in parts {
                        let source = part + tile.lagOffset
                        for element in 0..<lagSize { target[element] += source[element] }
                    }
                }
                for (place, term) in kind.terms.enumerated() where !hasSpectra(term) {
                    batch.multiply(
                        term, members, into: partial + place * square, step: size, unused: work.sums(worker))
                }
                if let lines, let tables = self.lineTables {
                    for run in tables.runs[kindIndex] {
                        tables.multiply(
                            run, members, lines, kernels: self.kernels, products: work.products(worker), into: partial,
                            step: size)
                    }
                }
                for (index, tile) in members.enumerated() {
                    self.kernels.addInDouble(
                        partial + index * size, size, base + tile.offset, halves + tile.lagOffset, lagSize, sign)
                }
            }
        }
    }

    /// The lags' sums of all tiles, each part of the columns' by itself: one column is transformed after the other, and
    /// multiplied while it is in the cache.
    private func multiplyColumns(
        _ batch: SignalBatch, _ spectra: SignalSpectra, pool: ThreadPool
    ) -> [UnsafeMutablePointer<Float>] {
        guard let tables else { return [] }
        let tiles = plan.tiles
        let square = tiles.lanes * tiles.lanes
        let parts = plan.columnParts
        let base = batch.scratch.floats(.lags, parts.count * tiles.lagCount)
        let perWorker = spectra.columnRoom + tables.productRoom + 4 * square + 64
        let work = batch.scratch.floats(.workers, perWorker * pool.threadCount)
        pool.forEach(parts.count) { part, worker in
            let room = work + worker * perWorker
            let products = room + spectra.columnRoom
            let target = base + part * tiles.lagCount
            target.update(repeating: 0, count: tiles.lagCount)
            for column in parts[part] {
                let spectrum = spectra.column(column, room: room)
                for task in tiles.tasks {
                    let first = tiles.tiles[task.lowerBound]
                    tables.multiply(
                        tiles.tiles[task], columns: column..<column + 1, frequencyStep: spectra.frequencyStep,
                        images: batch.count, products: products, sums: products + tables.productRoom,
                        partial: target + first.lagOffset, partialStep: tiles.kinds[first.kind].lagCount * square,
                        spectrum: { block, _ in spectrum(block) })
                }
            }
        }
        return parts.indices.map { base + $0 * tiles.lagCount }
    }

    private func withTargets(
        _ body: (_ products: UnsafeMutablePointer<Double>, _ halves: UnsafeMutablePointer<Float>) -> Void
    ) throws {
        try products.withMutableElements(of: Double.self) { products in
            try halves.withMutableElements(of: Float.self) { halves in
                guard let products = products.baseAddress, let halves = halves.baseAddress else { return }
                body(products, halves)
            }
        }
    }

    /// How far the second moments of the even and of the odd steps are apart: the norm of their difference over the norm of
    /// that of all. The border's sums are left out.
    /// - Parameter share: The part of the images that the even steps had, between 0 and 1.
    func relativeChange(firstHalf share: Double) -> Double {
        let square = plan.tiles.lanes * plan.tiles.lanes
        var (difference, whole) = (0.0, 0.0)
        products.withElements(of: Double.self) { products in
            halves.withElements(of: Float.self) { halves in
                for tile in plan.tiles.tiles {
                    let factor = tile.row == tile.column ? 1.0 : 2.0
                    for (lag, weight) in plan.tiles.kinds[tile.kind].lagWeights.enumerated() {
                        var (d, w) = (0.0, 0.0)
                        for element in lag * square..<(lag + 1) * square {
                            let (half, sum) = (
                                Double(halves[tile.lagOffset + element]), products[tile.offset + element]
                            )
                            let apart = (sum + half) / (2 * share) - (sum - half) / (2 * (1 - share))
                            d += apart * apart
                            w += sum * sum
                        }
                        difference += factor * weight * d
                        whole += factor * weight * w
                    }
                }
            }
        }
        return whole > 0 ? (difference / whole).squareRoot() : 0
    }
}

/// Each thread's memory while tiles are multiplied.
private struct TileWork {
    private let base: UnsafeMutablePointer<Float>
    private let stride: Int
    private let partialCount: Int
    private let sumsCount: Int

    init(plan: MomentPlan, workers: Int, scratch: Scratch) {
        let square = plan.tiles.lanes * plan.tiles.lanes
        let terms = plan.tiles.kinds.map(\.terms.count).max() ?? 0
        let together = plan.tiles.tasks.map(\.count).max() ?? 1
        partialCount = terms * together * square
        sumsCount = 4 * square
        // A line's worth between threads, so that they do not share one.
        stride = partialCount + sumsCount + 4 * plan.frequenciesAtOnce * square + 64
        base = scratch.floats(.workers, stride * workers)
    }

    func partial(_ worker: Int) -> UnsafeMutablePointer<Float> { base + worker * stride }
    func sums(_ worker: Int) -> UnsafeMutablePointer<Float> { partial(worker) + partialCount }
    func products(_ worker: Int) -> UnsafeMutablePointer<Float> { sums(worker) + sumsCount }
}
