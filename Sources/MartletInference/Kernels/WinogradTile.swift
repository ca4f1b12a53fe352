/// A variant of Winograd's minimal filtering for square kernels, named by the outputs and the taps along one side of a tile.
enum WinogradTile: Int, CaseIterable, Sendable {
    /// F(2x2, 3x3): 16 products for 4 pixels instead of 36.
    case f2x3
    /// F(4x4, 3x3): 36 products for 16 pixels instead of 144.
    case f4x3
    /// F(3x3, 4x4): 36 products for 9 pixels instead of 144.
    case f3x4
    /// F(2x2, 5x5): 36 products for 4 pixels instead of 100.
    case f2x5
    /// F(2x2, 3x3) of stride 2: 25 products for 4 pixels instead of 36.
    case f2x3By2

    /// The pixels of the output along one side of a tile.
    var size: Int {
        switch self {
        case .f2x3, .f2x5, .f2x3By2: 2
        case .f3x4: 3
        case .f4x3: 4
        }
    }

    /// The taps of the kernel along one side.
    var taps: Int {
        switch self {
        case .f2x3, .f4x3, .f2x3By2: 3
        case .f3x4: 4
        case .f2x5: 5
        }
    }

    /// The stride of the convolution.
    var stride: Int { self == .f2x3By2 ? 2 : 1 }

    /// The pixels of the input along one side of a tile, and the positions of the transforms.
    var points: Int { (size - 1) * stride + taps }
    /// The positions of the transforms: one matrix product each.
    var positions: Int { points * points }

    /// Whether a position along one side serves the last pixel of a tile alone.
    private func isForLastPixel(_ point: Int) -> Bool { point == points - 1 || stride > 1 && point == 1 }

    /// Products along one side of `extent` pixels: tiles that are cut off do without those for their last pixel.
    func products(extent: Int) -> Double {
        let (whole, rest) = extent.quotientAndRemainder(dividingBy: size)
        return Double(whole) * Double(points) + Double(rest == 0 ? 0 : (0..<points).count { !isForLastPixel($0) })
    }

    /// Transformed kernels along one side: with a stride of 2 the first two positions, which are of the odd pixels, share one.
    var kernelPoints: Int { points - (stride - 1) }
    /// The matrices of weights.
    var kernelPositions: Int { kernelPoints * kernelPoints }

    /// A position of the transforms.
    struct Position {
        /// Counted row by row.
        var index: Int
        /// Whether it serves the last row of a tile alone.
        var isForLastRow: Bool
        /// Whether it serves the last column of a tile alone.
        var isForLastColumn: Bool
    }

    /// The positions of all matrices of weights, one matrix after the other.
    struct Positions {
        let all: [Position]
        /// Where those of each matrix begin, and the last end.
        private let first: [Int]

        fileprivate init(_ tile: WinogradTile) {
            let kernels = (0..<tile.kernelPositions).map { tile.positions(ofKernel: $0) }
            all = kernels.flatMap { $0 }
            first = kernels.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
        }

        /// Where those of a matrix are.
        func range(ofKernel kernel: Int) -> Range<Int> { first[kernel]..<first[kernel + 1] }
    }

    /// Small layers are done in microseconds: they would notice if these were listed anew each time.
    private static let tables = allCases.map { Positions($0) }
    /// The positions of all matrices of weights.
    var positionTable: Positions { WinogradTile.tables[rawValue] }

    /// The positions that a matrix of weights is for.
    func positions(ofKernel kernel: Int) -> [Position] {
        let (row, column) = kernel.quotientAndRemainder(dividingBy: kernelPoints)
        return points(ofKernel: row).flatMap { row in
            points(ofKernel: column).map { column in
                Position(
                    index: row * points + column, isForLastRow: isForLastPixel(row),
                    isForLastColumn: isForLastPixel(column))
            }
        }
    }

    /// The positions along one side that a transformed kernel is for.
    private func points(ofKernel point: Int) -> Range<Int> {
        let shared = stride - 1
        return point == 0 ? 0..<1 + shared : point + shared..<point + shared + 1
    }
}
