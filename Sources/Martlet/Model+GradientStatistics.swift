import MartletEvaluation
import MartletImages
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTraining

extension Model {
    /// Gathers the gradients at every layer over a data set, by one pass forward and backward for each image and draw.
    /// - Parameters:
    ///   - data: The images; their labels matter only to ``GradientStatistics/Source/labels``.
    ///   - preprocessing: How an image becomes the network's input.
    ///   - source: What is differentiated.
    ///   - draws: How often each image is gone over with other random numbers.
    ///   - seed: Of these.
    ///   - shard: Take part `index` of `count`, from 1 on, of the images; the parts together are the same as the whole.
    ///   - pool: The threads that share the work.
    ///   - progress: Told after each image; it may throw to end the job.
    /// - Throws: ``NetworkError``, ``TrainingError``, ``StatisticsError``, ``ImageError``, ``PreprocessingError``,
    ///   ``DataSetError``.
    public func gatherGradients(
        on data: any DataSet, preprocessing: Preprocessing, source: GradientStatistics.Source, draws: Int = 1,
        seed: UInt64 = 0, shard: (index: Int, count: Int)? = nil, pool: ThreadPool,
        progress: JobProgress.Handler = { _ in }
    ) throws -> GradientStatistics {
        if network.scores == .probabilities {
            throw NetworkError.unsupported(
                node: "of '\(network.outputs.first?.name ?? "")'",
                reason: "gradients of a network that ends in softmax; they are wanted of the scores before it")
        }
        let (index, count) = shard ?? (1, 1)
        guard (1...max(1, data.count)).contains(count), (1...count).contains(index) else {
            throw StatisticsError.shard(index: index, count: count, most: data.count)
        }
        let range = (index - 1) * data.count / count..<index * data.count / count
        let name = shard == nil ? "\(data)" : "shard \(index)/\(count) of \(data)"
        let data: any DataSet = shard == nil ? data : Subset(data, range: range)
        let gatherer = try GradientGatherer(
            network: network, source: source, draws: draws, seed: seed, firstImage: range.lowerBound, pool: pool)
        let loader = try loader(data, preprocessing, batchSize: 1, pool: pool)
        while let batch = try loader.next() {
            try gatherer.add(batch.tensor, label: batch.labels.first ?? nil)
            try progress(JobProgress(task: "gradients", done: gatherer.images, total: data.count, unit: "images"))
        }
        return try gatherer.statistics(
            data: name, dataDigest: try data.digest(), preprocessing: preprocessing.json,
            version: MartletVersion.current)
    }
}
