/// The spectra of a batch's border lines, two images at a time as the real and the imaginary part of one transform.
struct LineSpectra {
    let plan: MomentPlan
    private let batch: SignalBatch
    /// For each axis `[line, block, frequency, image, 3, lane]`, as ``SignalSpectra`` has them.
    private let memory: [UnsafeMutablePointer<Float>]
    /// Each thread's room: a line of two images, twice, and two lines as they lie.
    private let work: UnsafeMutablePointer<Float>
    private let perWorker: Int
    private let lanes: Int
    private let pairs: Int

    init(_ batch: SignalBatch, workers: Int) {
        self.batch = batch
        plan = batch.plan
        lanes = plan.tiles.lanes
        pairs = (batch.count + 1) / 2
        let rows = plan.lineFloats(.row, images: batch.count)
        let base = batch.scratch.floats(.lines, rows + plan.lineFloats(.column, images: batch.count))
        memory = [base, base + rows]
        perWorker = plan.lineWork
        work = batch.scratch.floats(.lineWork, perWorker * workers)
    }

    /// The number of images.
    var images: Int { batch.count }
    /// Floats between neighbouring frequencies of a line.
    var frequencyStep: Int { pairs * 6 * lanes }

    /// The spectra of a line of a block.
    func line(_ index: Int, _ axis: LineTables.Axis, block: Int) -> UnsafePointer<Float> {
        UnsafePointer(place(index, axis, block))
    }

    private func place(_ index: Int, _ axis: LineTables.Axis, _ block: Int) -> UnsafeMutablePointer<Float> {
        memory[axis.rawValue] + (index * plan.tiles.blocks + block) * plan.lineFrequencies(axis) * frequencyStep
    }

    /// Transforms the lines of a block of two images.
    /// - Parameter b: The second image; zero if there is none.
    func transform(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, block: Int, pair: Int, worker: Int) {
        let room = work + worker * perWorker
        for axis in LineTables.Axis.allCases {
            guard let length = plan.lineAxes[axis.rawValue] else { continue }
            let transform = Transform(length, batch.kernels)
            let (line, rest) = (room, room + 2 * length.count * lanes)
            let (first, second) = (rest + 2 * length.count * lanes, rest + 3 * length.count * lanes)
            let lines = axis == .row ? plan.rowLines : plan.columnLines
            let extent = axis == .row ? plan.geometry.width.extent : plan.geometry.height.extent
            for (index, position) in lines.enumerated() {
                if axis == .row {
                    let offset = position * batch.rowStep
                    batch.kernels.pairSignals(a + offset, b.map { $0 + offset }, extent, length.count, line)
                } else {
                    batch.kernels.copyVectors(a + position * lanes, batch.rowStep, extent, first)
                    if let b { batch.kernels.copyVectors(b + position * lanes, batch.rowStep, extent, second) }
                    batch.kernels.pairSignals(first, b == nil ? nil : UnsafePointer(second), extent, length.count, line)
                }
                let result = transform.run(line, work: rest)
                batch.kernels.separateSpectra(
                    result, result, length.count, plan.lineFrequencies(axis),
                    place(index, axis, block) + pair * 6 * lanes,
                    frequencyStep)
            }
        }
    }
}

extension MomentPlan {
    /// Floats that the spectra of an axis' lines take.
    func lineFloats(_ axis: LineTables.Axis, images: Int) -> Int {
        let lines = axis == .row ? rowLines.count : columnLines.count
        return lines * tiles.blocks * lineFrequencies(axis) * ((images + 1) / 2) * 6 * tiles.lanes
    }

    /// Floats that a thread needs to transform lines.
    var lineWork: Int { 6 * (lineAxes.compactMap { $0?.count }.max() ?? 0) * tiles.lanes + 64 }
}
