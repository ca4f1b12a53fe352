/// The spectra of a batch's signals: the discrete Fourier transform of every plane, two images at a time as the real and
/// the imaginary part of one transform.
///
/// A *column* is what all vertical frequencies have at one horizontal frequency. Where the products of a column fit into a
/// cache (``MomentPlan/takesColumnsInTurn``) its spectra are made when they are multiplied, and only the transforms
/// along the rows are held; elsewhere all spectra are.
struct SignalSpectra {
    private let plan: MomentPlan
    private let batch: SignalBatch
    private let kernels: MomentKernels
    private let vertical: Transform
    private let horizontal: Transform
    private let lanes: Int
    private let pairs: Int
    /// Transforms along the rows, `[column, block, pair of images, row]` complex numbers, or the spectra.
    private let memory: UnsafeMutablePointer<Float>
    /// Each thread's room to transform in.
    private let work: UnsafeMutablePointer<Float>
    private let perWorker: Int

    /// Room for the spectra of a batch; `nil` if the plan has another form.
    init?(_ batch: SignalBatch, workers: Int) {
        guard let fourier = batch.plan.fourier else { return nil }
        self.batch = batch
        plan = batch.plan
        kernels = batch.kernels
        (vertical, horizontal) = (Transform(fourier.height, kernels), Transform(fourier.width, kernels))
        lanes = plan.tiles.lanes
        pairs = (batch.count + 1) / 2
        let unit = 2 * lanes
        let count =
            plan.takesColumnsInTurn
            ? fourier.width.count * (plan.tiles.blocks * pairs * fourier.height.count + 1) * unit
            : (fourier.width.count / 2 + 1) * plan.tiles.blocks * fourier.height.count * pairs * 3 * unit
        memory = batch.scratch.floats(.spectra, count)
        let (ny, nx) = (fourier.height.count, fourier.width.count)
        perWorker = (2 * nx + (plan.takesColumnsInTurn ? 0 : (nx + 2) * ny)) * unit + 64
        work = batch.scratch.floats(.workers, perWorker * workers)
    }

    /// Floats between neighbouring vertical frequencies of a block's column.
    var frequencyStep: Int { pairs * 6 * lanes }
    /// Floats between the blocks of a column.
    private var blockStep: Int { vertical.axis.count * frequencyStep }
    private var unit: Int { 2 * lanes }
    /// Floats between columns of transforms along the rows. A number more keeps them out of each other's place in a cache.
    private var columnStep: Int { (plan.tiles.blocks * pairs * vertical.axis.count + 1) * unit }

    /// The spectra of a block in a column, where all are held: `[vertical frequency, image, 3, lane]`, the real part,
    /// and the imaginary part added to it and subtracted from it.
    func held(block: Int, column: Int) -> UnsafePointer<Float> {
        UnsafePointer(memory + (block * (horizontal.axis.count / 2 + 1) + column) * blockStep)
    }

    /// Makes the spectra of a block of two images, or their transforms along the rows.
    /// - Parameter b: The second image; zero if there is none.
    func transform(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, block: Int, pair: Int, worker: Int) {
        let (ny, nx) = (vertical.axis.count, horizontal.axis.count)
        let line = work + worker * perWorker
        if plan.takesColumnsInTurn {
            let target = memory + (block * pairs + pair) * ny * unit
            alongRows(a, b, to: target, columnStep: columnStep, line: line)
            return
        }
        let rest = line + 2 * nx * unit
        let columns = rest + 2 * ny * unit
        alongRows(a, b, to: columns, columnStep: ny * unit, line: line)
        for frequency in 0...nx / 2 {
            alongColumn(
                frequency, of: columns, columnStep: ny * unit, work: rest,
                to: memory + (block * (nx / 2 + 1) + frequency) * blockStep + pair * 3 * unit)
        }
    }

    /// Floats that ``column(_:room:)`` wants.
    var columnRoom: Int { plan.tiles.blocks * blockStep + 2 * vertical.axis.count * unit }

    /// Makes the spectra of one column out of the transforms along its rows, which are lost.
    /// - Returns: Where those of a block are.
    func column(_ frequency: Int, room: UnsafeMutablePointer<Float>) -> (_ block: Int) -> UnsafePointer<Float> {
        let work = room + plan.tiles.blocks * blockStep
        for task in 0..<plan.tiles.blocks * pairs {
            alongColumn(
                frequency, of: memory + task * vertical.axis.count * unit, columnStep: columnStep, work: work,
                to: room + task / pairs * blockStep + task % pairs * 3 * unit)
        }
        return { UnsafePointer(room + $0 * blockStep) }
    }

    /// Transforms the rows of two images, into columns `columnStep` floats apart and zero past the last row.
    private func alongRows(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, to columns: UnsafeMutablePointer<Float>,
        columnStep: Int, line: UnsafeMutablePointer<Float>
    ) {
        let (rows, width) = (plan.geometry.height.extent, plan.geometry.width.extent)
        let (ny, nx) = (vertical.axis.count, horizontal.axis.count)
        for row in 0..<rows {
            let offset = row * batch.rowStep
            kernels.pairSignals(a + offset, b.map { $0 + offset }, width, nx, line)
            kernels.scatterNumbers(
                horizontal.run(line, work: line + nx * unit), nx, columns + row * unit, columnStep)
        }
        for frequency in 0..<nx {
            (columns + frequency * columnStep + rows * unit).update(repeating: 0, count: (ny - rows) * unit)
        }
    }

    /// Transforms a column and its mirror image, which are lost, and parts them into the two images' spectra.
    private func alongColumn(
        _ frequency: Int, of columns: UnsafeMutablePointer<Float>, columnStep: Int, work: UnsafeMutablePointer<Float>,
        to target: UnsafeMutablePointer<Float>
    ) {
        let (ny, nx) = (vertical.axis.count, horizontal.axis.count)
        let mirrored = (nx - frequency) % nx
        let result = vertical.run(columns + frequency * columnStep, work: work)
        let other =
            mirrored == frequency
            ? result : vertical.run(columns + mirrored * columnStep, work: work + ny * unit)
        kernels.separateSpectra(result, other, ny, ny, target, frequencyStep)
    }
}
