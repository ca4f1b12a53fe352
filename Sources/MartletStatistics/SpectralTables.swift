/// The cosines and sines that turn products of spectra into sums at given lags.
struct SpectralTables {
    private let kernels: MomentKernels
    private let height: FourierAxis
    /// The number of columns of frequencies.
    let columns: Int
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

    /// Adds what columns of frequencies give to the lags' sums of tiles of one kind, sorted by rows.
    /// - Parameters:
    ///   - spectrum: The spectra of a block in a column, as ``SignalSpectra`` makes them.
    ///   - frequencyStep: Floats between their vertical frequencies.
    ///   - images: How many there are.
    ///   - products: Room for those of two tiles, ``productRoom`` floats.
    ///   - sums: Room for four squares.
    ///   - partial: Where the first tile's sums are added to, the next one's `partialStep` floats on.
    func multiply(
        _ tiles: ArraySlice<MomentTiles.Tile>, columns: Range<Int>, frequencyStep: Int, images: Int,
        products: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>,
        partial: UnsafeMutablePointer<Float>, partialStep: Int,
        spectrum: (_ block: Int, _ column: Int) -> UnsafePointer<Float>
    ) {
        guard let kind = tiles.first?.kind else { return }
        let lagCount = lagCounts[kind]
        angles.withUnsafeBufferPointer { angles in
            lags[kind].withUnsafeBufferPointer { lags in
                guard let angles = angles.baseAddress, let lags = lags.baseAddress else { return }
                for column in columns {
                    var index = tiles.startIndex
                    while index < tiles.endIndex {
                        let row = tiles[index].row
                        let hasNext = index + 1 < tiles.endIndex && tiles[index + 1].row == row
                        kernels.spectralProducts(
                            spectrum(row, column), spectrum(tiles[index].column, column),
                            hasNext ? spectrum(tiles[index + 1].column, column) : nil, height.count, frequencyStep,
                            images, products, products + productRoom / 2)
                        for offset in 0..<(hasNext ? 2 : 1) {
                            kernels.addLags(
                                products + offset * productRoom / 2, height.count, angles, maximumLag,
                                lags + column * lagCount * 3, lagCount, sums,
                                partial + (index - tiles.startIndex + offset) * partialStep)
                        }
                        index += hasNext ? 2 : 1
                    }
                }
            }
        }
    }

    /// Floats that the products of two tiles in a column take.
    var productRoom: Int { 4 * height.count * kernels.lanes * kernels.lanes }
}
