import Testing

@testable import MartletInference

@Suite struct ChannelsReadTests {
    /// Places count up in the order in which a kernel reads, and lead back.
    @Test(arguments: [1, 2, 4]) func placesCountUp(unit: Int) {
        for (channels, blockLanes) in [(3, 16), (16, 16), (17, 16), (82, 16), (96, 16), (44, 8), (12, 4), (33, 4)] {
            let read = ChannelsRead(channels, blockLanes: blockLanes, unit: unit)
            let blocks = (channels + blockLanes - 1) / blockLanes
            for taps in [1, 9] {
                var place = 0
                for block in 0..<blocks {
                    let units = (min(blockLanes, channels - block * blockLanes) + unit - 1) / unit
                    for tap in 0..<taps {
                        for part in 0..<units {
                            #expect(read.place(of: part, block: block, offset: tap, offsetsOfBlock: taps) == place)
                            let (offset, found) = read.position(of: place, offsets: blocks * taps)
                            #expect(offset == block * taps + tap && found == part)
                            place += 1
                        }
                    }
                }
                #expect(read.total(of: blocks * taps) == place)
            }
        }
    }
}
