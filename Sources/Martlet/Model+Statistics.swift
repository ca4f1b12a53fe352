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
        let gatherer = try StatisticsGatherer(network: network, pool: pool)
        let loader = try loader(
            data, preprocessing, batchSize: try batchSize(upTo: StatisticsGatherer.imagesPerStep), pool: pool)
        while let batch = try loader.next() {
            try gatherer.add(batch.tensor)
            try progress(JobProgress(task: "sigma", done: batch.indices.upperBound, total: data.count, unit: "images"))
        }
        return try gatherer.statistics(
            data: "\(data)", dataDigest: try data.digest(), preprocessing: preprocessing.json,
            version: MartletVersion.current)
    }
}
