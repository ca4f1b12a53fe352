/// A variant of Winograd's minimal filtering for square kernels of stride 1, named by the outputs and the taps along one
/// side of a tile.
enum WinogradTile: CaseIterable, Sendable {
    /// F(2x2, 3x3): 16 products for 4 pixels instead of 36.
    case f2x3
    /// F(4x4, 3x3): 36 products for 16 pixels instead of 144.
    case f4x3
    /// F(3x3, 4x4): 36 products for 9 pixels instead of 144.
    case f3x4
    /// F(2x2, 5x5): 36 products for 4 pixels instead of 100.
    case f2x5

    /// The pixels of the output along one side of a tile.
    var size: Int {
        switch self {
        case .f2x3, .f2x5: 2
        case .f3x4: 3
        case .f4x3: 4
        }
    }

    /// The taps of the kernel along one side.
    var taps: Int {
        switch self {
        case .f2x3, .f4x3: 3
        case .f3x4: 4
        case .f2x5: 5
        }
    }

    /// The pixels of the input, and the points of interpolation, along one side of a tile.
    var points: Int { size + taps - 1 }
    /// The positions of the transforms: one matrix product each.
    var positions: Int { points * points }
}
