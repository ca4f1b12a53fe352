/// The channels that a convolution reads of its input: whole blocks, and of a last one that is not full no empty lanes, which
/// would be multiplied for nothing: 14 of 96 for 82 channels in blocks of 16.
///
/// A kernel reads at offsets: each tap of the first block, then each of the second, and so on. Its weights lie in the order in
/// which it reads.
struct ChannelsRead {
    /// Channels read at an offset of a whole block, in units; of a single block, those that there are.
    let lanes: Int
    /// Channels read at an offset of the last block, in units, 0 if it is a whole one.
    let lastLanes: Int
    /// Blocks there are.
    private let blocks: Int

    /// - Parameters:
    ///   - blockLanes: The channels of a block of the value.
    ///   - unit: Channels that are read at once.
    init(_ channels: Int, blockLanes: Int, unit: Int = 1) {
        func units(_ channels: Int) -> Int { (channels + unit - 1) / unit }
        lanes = units(min(channels, blockLanes))
        blocks = (channels + blockLanes - 1) / blockLanes
        let last = units(channels - (blocks - 1) * blockLanes)
        lastLanes = last == lanes ? 0 : last
    }

    /// How many of the offsets are of whole blocks.
    func wholeCount(of offsets: Int) -> Int { lastLanes == 0 ? offsets : offsets - offsets / blocks }

    /// Units read at all offsets.
    func total(of offsets: Int) -> Int {
        let whole = wholeCount(of: offsets)
        return whole * lanes + (offsets - whole) * lastLanes
    }

    /// Where a unit of a block is among all that are read.
    func place(of unit: Int, block: Int, offset: Int, offsetsOfBlock: Int) -> Int {
        let width = lastLanes > 0 && block == blocks - 1 ? lastLanes : lanes
        return block * offsetsOfBlock * lanes + offset * width + unit
    }

    /// The offset at which the unit at a place is read, and its number there.
    func position(of place: Int, offsets: Int) -> (offset: Int, unit: Int) {
        let whole = wholeCount(of: offsets)
        if place < whole * lanes { return (place / lanes, place % lanes) }
        let (offset, unit) = (place - whole * lanes).quotientAndRemainder(dividingBy: lastLanes)
        return (whole + offset, unit)
    }
}
