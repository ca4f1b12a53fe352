import MartletParallelism
import MartletTensors

extension MomentSums {
    /// Puts the moments of the patches together from the sums and adds them to `moments`.
    func add(to moments: inout LayerMoments, pool: ThreadPool) throws {
        let geometry = plan.geometry
        let tiles = plan.tiles
        let taps = geometry.taps.count
        let (groups, perGroup) = (geometry.groups, geometry.channelsPerGroup)
        let size = geometry.patchSize
        let triangle = size * (size + 1) / 2
        let lanes = tiles.lanes
        let phases = (0..<taps).map { geometry.phase(of: $0) }
        try products.withElements(of: Double.self) { sums in
            try moments.products.withMutableElements(of: Double.self) { target in
                guard let sums = sums.baseAddress, let target = target.baseAddress else { return }
                pool.forEach(groups * perGroup) { channel in
                    let (group, inner) = (channel / perGroup, channel % perGroup)
                    let base = target + group * triangle
                    for tap in 0..<taps {
                        let signal = phases[tap] * geometry.channels + channel
                        let row = inner * taps + tap
                        let targetRow = base + row * (row + 1) / 2
                        for other in 0...inner {
                            let end = other == inner ? tap + 1 : taps
                            for otherTap in 0..<end {
                                let partner = phases[otherTap] * geometry.channels + group * perGroup + other
                                // The block that comes later is the tile's row.
                                let isSwapped = signal / lanes < partner / lanes
                                let (first, second) = isSwapped ? (partner, signal) : (signal, partner)
                                let (t, u) = isSwapped ? (otherTap, tap) : (tap, otherTap)
                                guard let tile = tiles.tile(row: first / lanes, column: second / lanes),
                                    let places = tiles.kinds[tile.kind].places[t * taps + u]
                                else { continue }
                                let cell = sums + tile.offset + first % lanes * lanes + second % lanes
                                var value = 0.0
                                for place in places.added { value += cell[place * lanes * lanes] }
                                for place in places.subtracted { value -= cell[place * lanes * lanes] }
                                targetRow[other * taps + otherTap] += value
                            }
                        }
                    }
                }
            }
        }
        try addMeans(to: &moments, phases: phases)
        moments.count += count
    }

    private func addMeans(to moments: inout LayerMoments, phases: [Int]) throws {
        let geometry = plan.geometry
        let taps = geometry.taps.count
        let lanes = plan.tiles.lanes
        let windows = geometry.taps.map { tap -> Int in
            let row = plan.rowWindows.firstIndex(of: MomentPlan.window(geometry.height, tap.y)) ?? 0
            let column = plan.columnWindows.firstIndex(of: MomentPlan.window(geometry.width, tap.x)) ?? 0
            return row * plan.columnWindows.count + column
        }
        let perBlock = plan.rowWindows.count * plan.columnWindows.count * lanes
        try sums.withElements(of: Double.self) { sums in
            try moments.sums.withMutableElements(of: Double.self) { target in
                for channel in 0..<geometry.channels {
                    for tap in 0..<taps {
                        let signal = phases[tap] * geometry.channels + channel
                        target[channel * taps + tap] +=
                            sums[signal / lanes * perBlock + windows[tap] * lanes + signal % lanes]
                    }
                }
            }
        }
    }
}
