import MartletParallelism
import MartletTensors
import Synchronization

/// The moments of a finished run, put together from the sums as they are asked for.
final class GatheredMoments: Sendable {
    /// The sums, which nobody changes any more: that makes them safe to send.
    private struct Sums: @unchecked Sendable {
        var byName: [String: LayerGatherer]
    }

    /// The names of the layers, sorted.
    let names: [String]
    private let sums: Mutex<Sums>
    private let pool: ThreadPool

    init(_ gatherers: [(gatherer: LayerGatherer, layers: [String])], pool: ThreadPool) {
        var byName: [String: LayerGatherer] = [:]
        for (gatherer, layers) in gatherers { for layer in layers { byName[layer] = gatherer } }
        names = byName.keys.sorted()
        sums = Mutex(Sums(byName: byName))
        self.pool = pool
    }

    func moments(named name: String) throws -> LayerMoments {
        try sums.withLock { sums in
            guard let gatherer = sums.byName[name] else { throw StatisticsError.missingLayer(name: name) }
            return try gatherer.moments(pool: pool)
        }
    }

    func shapes(named name: String) throws -> (products: Shape, sums: Shape) {
        try sums.withLock { sums in
            guard let layer = sums.byName[name]?.layer else { throw StatisticsError.missingLayer(name: name) }
            return try LayerMoments.shapes(groups: layer.groups, patchSize: layer.patchSize)
        }
    }
}
