import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

/// Convolutions by Winograd's filtering against the same networks through BLAS.
@Suite struct WinogradConvolutionTests {
    /// Strides of 1 and 2, a border on either side and none, one that another layer wants wider, a sum into the result, clamps,
    /// channels that do not fill their last block.
    private func network(height: Int, width: Int) throws -> Network {
        var builder = NetworkBuilder(seed: 7)
        let stem = builder.relu(
            "stem.relu", try builder.convolution("stem", "input", outputs: 40, inputs: 3, kernel: [3, 3], padding: 1))
        let same = try builder.convolution("same", stem, outputs: 40, inputs: 40, kernel: [3, 3], padding: 1)
        let sum = builder.relu("sum.relu", builder.node("sum", .arithmetic(.add), [same, stem]))
        let three = try builder.convolution(
            "three", sum, outputs: 33, inputs: 40, kernel: [3, 3], stride: 2, padding: 1)
        let five = try builder.convolution("five", sum, outputs: 33, inputs: 40, kernel: [5, 5], stride: 2, padding: 2)
        let both = builder.relu("both.relu", builder.node("both", .arithmetic(.add), [three, five]))
        let last = try builder.convolution("last", both, outputs: 20, inputs: 33, kernel: [3, 3], padding: 1)
        return builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(height), .fixed(width)]), output: last,
            type: TensorType(.float32, []))
    }

    /// Images of one tile, of tiles of which the last are cut off on one side or both, and of more tiles than one chunk has.
    @Test(arguments: InstructionSet.allCases.filter(\.isSupported), [(1, 3), (7, 7), (14, 14), (8, 30), (45, 44)])
    func isTheSameAsThroughBLAS(set: InstructionSet, size: (Int, Int)) throws {
        let network = try network(height: size.0, width: size.1)
        var generator = SeededGenerator(seed: 8)
        let x = try generator.tensor([3, 3, size.0, size.1])
        for tile in [WinogradTile.f2x3, .f4x3, .f2x3By2] {
            let found = try compareWithBLAS(network, on: x, set: set, algorithm: .winograd(tile))
            #expect(!found.isEmpty)
        }
    }

    /// Each tile has a place, and what is left out is what only pixels past the edge would need.
    @Test(arguments: WinogradTile.allCases)
    func everyTileHasAPlace(tile: WinogradTile) {
        for (height, width) in [(1, 1), (4, 4), (7, 7), (13, 5), (8, 14), (12, 12)] {
            let perRow = (width + tile.size - 1) / tile.size
            let count = (height + tile.size - 1) / tile.size * perRow
            for first in 0..<count {
                for end in first + 1...count {
                    let order = WinogradOrder(first..<end, of: tile, height: height, width: width)
                    var placed = [Int?](repeating: nil, count: end - first)
                    order.forEachRun { tiles, place in
                        for (index, tile) in tiles.enumerated() {
                            #expect(placed[place + index] == nil)
                            placed[place + index] = tile
                        }
                    }
                    #expect(Set(placed) == Set(first..<end))
                    for (isForLastRow, isForLastColumn) in [(false, false), (false, true), (true, false), (true, true)]
                    {
                        let places = order.places(
                            of: .init(index: 0, isForLastRow: isForLastRow, isForLastColumn: isForLastColumn))
                        let needed = (first..<end).filter { index in
                            (!isForLastRow || (index / perRow + 1) * tile.size <= height)
                                && (!isForLastColumn || (index % perRow + 1) * tile.size <= width)
                        }
                        #expect(Set(places.map { placed[$0] }) == Set(needed))
                    }
                }
            }
        }
    }
}
