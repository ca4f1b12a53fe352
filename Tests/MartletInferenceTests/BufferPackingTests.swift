import MartletTestSupport
import Testing

@testable import MartletInference

@Suite struct BufferPackingTests {
    @Test func buffersThatMeetInTimeLieApart() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let buffers = (0..<generator.integer(0...25)).map { _ -> BufferPacking.Buffer in
                let first = generator.integer(-1...20)
                return .init(
                    bytes: generator.integer(0...5) * generator.integer(0...999), first: first,
                    last: first + generator.integer(0...6))
            }
            let packing = BufferPacking(buffers)
            for (i, a) in buffers.enumerated() {
                #expect(packing.offsets[i] % Arena.alignment == 0)
                #expect(packing.offsets[i] + a.bytes <= packing.byteCount)
                for (j, b) in buffers.enumerated() where j < i && a.meets(b) {
                    let (x, y) = (packing.offsets[i], packing.offsets[j])
                    #expect(x + a.bytes <= y || y + b.bytes <= x)
                }
            }
            // No less than the fullest moment needs, no more than everything apart.
            let fullest =
                (-1...27).map { time in
                    buffers.filter { $0.first <= time && time <= $0.last }.map(\.bytes).reduce(0, +)
                }.max() ?? 0
            #expect(packing.byteCount >= fullest)
            #expect(packing.byteCount <= BufferPacking(buffers, reuse: false).byteCount)
        }
    }

    @Test func aChainNeedsTwoBuffers() {
        let chain = (0..<10).map { BufferPacking.Buffer(bytes: 640, first: $0, last: $0 + 1) }
        #expect(BufferPacking(chain).byteCount == 1280)
        #expect(BufferPacking(chain, reuse: false).byteCount == 6400)
    }

    @Test func aSmallBufferGoesIntoTheTightestGap() {
        // At time 0 lie 1024 and 256 bytes around holes; later a buffer of 192 fits the smaller hole.
        let buffers: [BufferPacking.Buffer] = [
            .init(bytes: 1024, first: 0, last: 9), .init(bytes: 512, first: 0, last: 1),
            .init(bytes: 448, first: 0, last: 9), .init(bytes: 256, first: 0, last: 1),
            .init(bytes: 250, first: 0, last: 9), .init(bytes: 192, first: 5, last: 6),
        ]
        let packing = BufferPacking(buffers)
        #expect(packing.offsets[5] == packing.offsets[3])
    }
}
