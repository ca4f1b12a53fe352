/// The products of border lines at several shifts, by way of their spectra.
///
/// A kernel of extent k asks for up to 2 k - 1 shifts of the same two lines; their spectra are multiplied once.
struct LineTables {
    /// The terms of a kind of tiles that are shifts of the same two rows, or of the same two columns.
    struct Run {
        var axis: Axis
        /// The lines, among the plan's.
        var first: Int
        var second: Int
        /// For each magnitude of a shift where among the kind's terms it is, and where its negative is; -1 for none.
        var lags: [Int]
    }

    /// What a line runs along: a row along the width, a column along the height.
    enum Axis: Int, CaseIterable { case row, column }

    /// For each kind of tiles the runs of its terms.
    let runs: [[Run]]
    private let angles: [[Float]]

    /// - Returns: `nil` if no lines are multiplied by way of spectra.
    init?(plan: MomentPlan) {
        let axes = plan.lineAxes
        if axes.allSatisfy({ $0 == nil }) { return nil }
        let maximum = [plan.geometry.width.maximumLag, plan.geometry.height.maximumLag]
        angles = zip(axes, maximum).map { axis, maximum -> [Float] in
            guard let axis else { return [] }
            return (0...maximum).flatMap { lag in
                (0...axis.count / 2).flatMap { frequency -> [Float] in
                    let (cosine, sine) = axis.phase(frequency: frequency, lag: lag)
                    // Every other frequency stands for itself and for its mirror image.
                    let isAlone = frequency == 0 || 2 * frequency == axis.count
                    let weight = (isAlone ? 1 : 2) / Double(axis.count)
                    return [Float(weight * cosine), Float(weight * sine)]
                }
            }
        }
        runs = plan.tiles.kinds.map { kind in
            var runs: [Run] = []
            for (place, term) in kind.terms.enumerated() {
                guard let (axis, first, second, lag) = plan.lines(of: term), axes[axis.rawValue] != nil else {
                    continue
                }
                let known = runs.firstIndex { ($0.axis, $0.first, $0.second) == (axis, first, second) }
                if known == nil {
                    let none = [Int](repeating: -1, count: 2 * (maximum[axis.rawValue] + 1))
                    runs.append(Run(axis: axis, first: first, second: second, lags: none))
                }
                runs[known ?? runs.count - 1].lags[2 * abs(lag) + (lag < 0 ? 1 : 0)] = place
            }
            return runs
        }
    }

    /// Adds the products of a run's lines, of tiles of one kind that are sorted by rows and whose squares are `step` floats
    /// apart.
    /// - Parameters:
    ///   - products: Room for those of two tiles.
    func multiply(
        _ run: Run, _ tiles: ArraySlice<MomentTiles.Tile>, _ spectra: LineSpectra, kernels: MomentKernels,
        products: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>, step: Int
    ) {
        let frequencies = spectra.plan.lineFrequencies(run.axis)
        let products1 = products + 2 * frequencies * kernels.lanes * kernels.lanes
        let magnitudes = run.lags.count / 2
        angles[run.axis.rawValue].withUnsafeBufferPointer { angles in
            run.lags.withUnsafeBufferPointer { lags in
                guard let angles = angles.baseAddress, let lags = lags.baseAddress else { return }
                var index = tiles.startIndex
                while index < tiles.endIndex {
                    let row = tiles[index].row
                    let hasNext = index + 1 < tiles.endIndex && tiles[index + 1].row == row
                    func second(_ index: Int) -> UnsafePointer<Float> {
                        spectra.line(run.second, run.axis, block: tiles[index].column)
                    }
                    kernels.spectralProducts(
                        spectra.line(run.first, run.axis, block: row), second(index), hasNext ? second(index + 1) : nil,
                        frequencies, spectra.frequencyStep, spectra.images, products, products1)
                    for offset in 0..<(hasNext ? 2 : 1) {
                        kernels.addLineLags(
                            offset == 0 ? products : products1, frequencies, angles, lags, magnitudes,
                            target + (index - tiles.startIndex + offset) * step)
                    }
                    index += hasNext ? 2 : 1
                }
            }
        }
    }
}

extension MomentPlan {
    /// How many frequencies the spectra of an axis' lines have: from zero to half the length.
    func lineFrequencies(_ axis: LineTables.Axis) -> Int { lineAxes[axis.rawValue].map { $0.count / 2 + 1 } ?? 0 }

    /// The two lines of a term among the plan's, and the shift along them; `nil` for a term that is not of lines.
    func lines(of term: MomentTerm) -> (axis: LineTables.Axis, first: Int, second: Int, lag: Int)? {
        func place(_ line: Int, in lines: [Int]) -> Int? { lines.firstIndex(of: line) }
        switch term {
        case .row(let n, let dy, let dx):
            guard let first = place(n, in: rowLines), let second = place(n + dy, in: rowLines) else { return nil }
            return (.row, first, second, dx)
        case .column(let m, let dy, let dx):
            guard let first = place(m, in: columnLines), let second = place(m + dx, in: columnLines) else { return nil }
            return (.column, first, second, dy)
        case .lag, .point: return nil
        }
    }
}
