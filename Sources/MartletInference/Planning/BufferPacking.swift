/// Where the buffers of a plan lie in one piece of memory: those that live at the same time lie apart.
///
/// Buffers are placed from the largest to the smallest, each into the tightest gap among those it meets in time
/// (greedy by size: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 5.2).
package struct BufferPacking {
    /// A buffer: its bytes, and the first and last step at which it is in use.
    package struct Buffer: Equatable {
        package var bytes: Int
        package var first: Int
        package var last: Int

        package init(bytes: Int, first: Int, last: Int) {
            self.bytes = bytes
            self.first = first
            self.last = last
        }

        func meets(_ other: Buffer) -> Bool { first <= other.last && other.first <= last }
    }

    /// The offset of each buffer, a multiple of ``Arena/alignment``.
    package let offsets: [Int]
    /// The bytes needed for all.
    package let byteCount: Int

    /// Packs the buffers; with `reuse` false each has memory of its own.
    package init(_ buffers: [Buffer], reuse: Bool = true) {
        var offsets = [Int](repeating: 0, count: buffers.count)
        var byteCount = 0
        var placed: [Int] = []
        let order = buffers.indices.sorted {
            (buffers[$1].bytes, buffers[$0].first, $0) < (buffers[$0].bytes, buffers[$1].first, $1)
        }
        for index in order {
            let size = Arena.padded(buffers[index].bytes)
            let obstacles = placed.filter { !reuse || buffers[$0].meets(buffers[index]) }
                .sorted { offsets[$0] < offsets[$1] }
            var best: (offset: Int, room: Int)?
            var end = 0
            for obstacle in obstacles {
                let room = offsets[obstacle] - end
                if room >= size, room < best?.room ?? .max { best = (end, room) }
                end = max(end, offsets[obstacle] + Arena.padded(buffers[obstacle].bytes))
            }
            offsets[index] = best?.offset ?? end
            byteCount = max(byteCount, offsets[index] + size)
            placed.append(index)
        }
        self.offsets = offsets
        self.byteCount = byteCount
    }
}
