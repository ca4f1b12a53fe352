/// The cosines and sines that turn products of spectra into sums at given lags.
struct SpectralTables {
    private let kernels: MomentKernels
    private let height: FourierAxis
    private let columns: Int
    private let maximumLag: Int
    private let angles: [Float]
    /// For each kind of tile and each column of frequencies the triples that the kernel takes.
    private let lags: [[Float]]
    private let lagCounts: [Int]

    init(plan: MomentPlan, height: FourierAxis, width: FourierAxis, kernels: MomentKernels) {
        self.kernels = kernels
        self.height = height
        columns = width.count / 2 + 1
        maximumLag = plan.geometry.height.maximumLag
        angles = (0...maximumLag).flatMap { height.angles(lag: $0) }
        let scale = 1 / (Double(height.count) * Double(width.count))
        lags = plan.tiles.kinds.map { kind in
            (0..<width.count / 2 + 1).flatMap { frequency -> [Float] in
                // Every other column stands for itself and for its mirror image.
                let isAlone = frequency == 0 || 2 * frequency == width.count
                let weight = isAlone ? scale : 2 * scale
                return kind.terms.prefix(kind.lagCount).flatMap { term -> [Float] in
                    guard case .lag(let dy, let dx) = term else { return [0, 0, 0] }
                    let phase = width.phase(frequency: frequency, lag: dx)
                    return [Float(dy), Float(weight * phase.cosine), Float(weight * phase.sine)]
                }
            }
        }
        lagCounts = plan.tiles.kinds.map(\.lagCount)
    }

    /// Adds the lags' sums of tiles of one kind, sorted by rows, to `partial`. `products` has room for those of two tiles.
    func multiply(
        _ tiles: [MomentTiles.Tile], kind: Int, batch: SignalBatch, products: UnsafeMutablePointer<Float>,
        sums: UnsafeMutablePointer<Float>, partial: UnsafeMutablePointer<Float>, partialStep: Int
    ) {
        let step = batch.frequencyStep
        let lagCount = lagCounts[kind]
        angles.withUnsafeBufferPointer { angles in
            lags[kind].withUnsafeBufferPointer { lags in
                guard let angles = angles.baseAddress, let lags = lags.baseAddress else { return }
                let size = height.count * 2 * kernels.lanes * kernels.lanes
                for column in 0..<columns {
                    var index = 0
                    while index < tiles.count {
                        let row = tiles[index].row
                        let hasNext = index + 1 < tiles.count && tiles[index + 1].row == row
                        kernels.spectralProducts(
                            batch.spectrum(block: row, column: column),
                            batch.spectrum(block: tiles[index].column, column: column),
                            hasNext ? batch.spectrum(block: tiles[index + 1].column, column: column) : nil,
                            height.count, step, batch.count, products, products + size)
                        for (offset, products) in [products, products + size].prefix(hasNext ? 2 : 1).enumerated() {
                            kernels.addLags(
                                products, height.count, angles, maximumLag, lags + column * lagCount * 3, lagCount,
                                sums,
                                partial + (index + offset) * partialStep)
                        }
                        index += hasNext ? 2 : 1
                    }
                }
            }
        }
    }
}
