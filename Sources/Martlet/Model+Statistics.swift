import MartletImages
import MartletNetworks
import MartletParallelism
import MartletStatistics

extension Model {
    /// Gathers the moments of every layer's input over a data set.
    /// - Throws: ``NetworkError``, ``StatisticsError``, ``ImageError``, ``PreprocessingError``, ``DataSetError``.
    public func gatherStatistics(
        on data: any DataSet, preprocessing: Preprocessing, pool: ThreadPool, progress: JobProgress.Handler = { _ in }
    ) throws -> Statistics {
        try gather(on: data, preprocessing: preprocessing, options: GatheringOptions(), pool: pool, progress: progress)
            .statistics
    }

    /// Gathers the moments of every layer's input over a data set, or a part of it, under the given constraints.
    ///
    /// - Parameters:
    ///   - data: The images.
    ///   - preprocessing: How an image becomes the network's input.
    ///   - options: What to gather, and how far.
    ///   - pool: The threads that share the work.
    ///   - announce: Is told the expected memory and the number of passes before the first image is run.
    ///   - progress: Is told how far it is.
    /// - Throws: as ``gatherStatistics(on:preprocessing:pool:progress:)``, and ``GatheringInterrupted``.
    public func gather(
        on data: any DataSet, preprocessing: Preprocessing, options: GatheringOptions, pool: ThreadPool,
        announce: (GatheringDemand, _ passes: Int) -> Void = { _, _ in }, progress: JobProgress.Handler = { _ in }
    ) throws -> GatheringResult {
        let (data, part) = try part(of: data, options)
        let demand = try GatheringDemand(
            network: network, image: try imageShape(data, preprocessing), pool: pool, form: options.form)
        let passes = try options.memory.map { try demand.passes(limit: $0) } ?? [Set(demand.views.flatMap(\.layers))]
        if options.until != nil, passes.count > 1 { throw StatisticsError.untilInPasses(passes: passes.count) }
        announce(demand, passes.count)
        let run = GatheringRun(
            model: self, data: data, preprocessing: preprocessing, options: options, pool: pool, passes: passes.count)
        // With one pass, sums are put together only where they are asked for; with several, each goes to a file first.
        var results: [GatheringRun.Pass] = []
        for (index, layers) in passes.enumerated() {
            results.append(try run.pass(index, layers: layers, part: part, progress: progress))
        }
        let statistics =
            results.count == 1 ? results[0].statistics : try Statistics(joining: results.map(\.statistics))
        let changes = results.contains { $0.changes == nil } ? nil : results.compactMap(\.changes)
        return GatheringResult(
            statistics: statistics, changes: changes?.reduce(into: [:]) { $0.merge($1) { first, _ in first } },
            passes: passes.count, hadEnough: results[0].hadEnough,
            expectedBytes: demand.base
                + (passes.map { layers in
                    demand.views.reduce(0) { $0 + (layers.contains($1.layers[0]) ? $1.bytes : 0) }
                }.max() ?? 0))
    }

    /// The images that the options leave, in their order, and what to call them.
    private func part(of data: any DataSet, _ options: GatheringOptions) throws -> (any DataSet, String) {
        if options.until != nil {
            return (Subset(data, shuffledWith: options.seed), "\(data), in random order (seed \(options.seed))")
        }
        guard let (index, count) = options.shard else { return (data, "\(data)") }
        // Shards are made of whole steps: what is added up in single precision is the same with and without them.
        let step = StatisticsGatherer.imagesPerStep
        let steps = (data.count + step - 1) / step
        guard (1...max(1, steps)).contains(count), (1...count).contains(index) else {
            throw StatisticsError.shard(index: index, count: count, most: steps)
        }
        let range = (index - 1) * steps / count * step..<min(data.count, index * steps / count * step)
        return (Subset(data, range: range), "shard \(index)/\(count) of \(data)")
    }

    /// The extents `[C, H, W]` of an image as the network gets it.
    private func imageShape(_ data: any DataSet, _ preprocessing: Preprocessing) throws -> [Int] {
        let fixed = try imageExtents
        if fixed.allSatisfy({ $0 != nil }) { return fixed.compactMap { $0 } }
        let image = try data.sample(at: 0).image
        return try preprocessing.outputShape(width: image.width, height: image.height).extents
    }
}
