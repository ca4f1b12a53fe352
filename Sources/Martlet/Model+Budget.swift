import Foundation
import MartletCompression
import MartletEvaluation
import MartletImages
import MartletNetworks
import MartletParallelism
import MartletStatistics

extension Model {
    /// The outputs of the network on images, to compare those of changed networks with.
    /// - Throws: ``NetworkError``, ``ImageError``, ``PreprocessingError``, ``DataSetError``, ``EvaluationError``.
    public func outputs(
        on data: any DataSet, preprocessing: Preprocessing, pool: ThreadPool
    ) throws -> OutputComparison {
        let loader = try loader(data, preprocessing, batchSize: try batchSize(upTo: 16), pool: pool)
        var batches: [(Tensor, [Int?])] = []
        while let batch = try loader.next() { batches.append((batch.tensor, batch.labels)) }
        return try OutputComparison(original: network, batches: batches, pool: pool)
    }

    /// The network compressed to a budget, which carries the preprocessing and how it was made.
    /// - Parameters:
    ///   - compressor: the budget and the recipe.
    ///   - statistics: of this network.
    ///   - layers: what ``BudgetCompressor/prepare(_:statistics:checkCancellation:progress:)`` gave, or a part of it.
    ///   - comparison: its outputs on some images, where the recipe measures weights.
    ///   - images: those that the statistics are of, and how they are prepared; needed for sequential compression.
    ///   - options: what is said about preprocessing.
    ///   - checkCancellation: called often, on any thread; what it throws ends the job.
    ///   - progress: told after each step; it may throw, too.
    /// - Throws: as ``BudgetCompressor/compress(_:statistics:options:comparison:batches:checkCancellation:progress:)``, and
    ///   ``PreprocessingError``.
    public func compressed(
        by compressor: BudgetCompressor, statistics: Statistics, layers: [LayerOptions]? = nil,
        comparison: OutputComparison?, images: (data: any DataSet, preprocessing: Preprocessing)? = nil,
        preprocessing options: PreprocessingOptions = .init(), checkCancellation: @escaping () throws -> Void = {},
        progress: @escaping JobProgress.Handler = { _ in }
    ) throws -> (model: Model, result: BudgetCompressor.Result) {
        let batches: BudgetCompressor.BatchSource? = images.map { images in
            { body in
                let size = try batchSize(upTo: StatisticsGatherer.imagesPerStep)
                let loader = try loader(images.data, images.preprocessing, batchSize: size, pool: compressor.pool)
                while let batch = try loader.next() { try body(batch.tensor) }
            }
        }
        let outcome = try compressor.compress(
            network, statistics: statistics, options: layers, comparison: comparison, batches: batches,
            checkCancellation: checkCancellation
        ) { task, done, count in
            try progress(JobProgress(task: task, done: done, total: count, unit: "layers"))
        }
        let model = try stamped(
            outcome.network, outcome.report, provenance: statistics.provenance,
            seed: compressor.compressor.options.seed,
            preprocessing: options)
        return (model, outcome)
    }
}
