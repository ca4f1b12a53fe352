/// Memory that the layers take turns to use.
final class Scratch {
    /// What a piece of memory is for; no two uses of one layer share one.
    enum Purpose: Int, CaseIterable {
        case signals, spectra, lags, rows, columns, points, windows, lines, lineWork, workers
    }

    private var memory: [Purpose: (base: UnsafeMutablePointer<Float>, count: Int)] = [:]

    /// `count` floats, uninitialised, aligned to 64 bytes.
    func floats(_ purpose: Purpose, _ count: Int) -> UnsafeMutablePointer<Float> {
        if let held = memory[purpose] {
            if held.count >= count { return held.base }
            held.base.deallocate()
        }
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        let base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
        memory[purpose] = (base, count)
        return base
    }

    /// The bytes held.
    var byteCount: Int { memory.values.reduce(0) { $0 + $1.count * 4 } }

    deinit { for held in memory.values { held.base.deallocate() } }
}
