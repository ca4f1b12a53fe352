import Foundation
import MartletEvaluation
import MartletImages
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// One of several networks side by side.
public struct ComparedNetwork: Codable, Sendable {
    /// The file.
    public var path: String
    /// The bytes of the file.
    public var fileBytes: Int
    /// The bytes of its constants as they are held while it runs.
    public var constantBytes: Int
    /// Milliseconds for one image that a tenth of the runs did not exceed, the networks taking turns.
    public var milliseconds: Double
    /// How well it classifies, with agreement with the first of the networks; `nil` without images.
    public var evaluation: EvaluationResult?

    enum CodingKeys: String, CodingKey {
        case path, milliseconds, evaluation
        case fileBytes = "file_bytes"
        case constantBytes = "constant_bytes"
    }
}

extension Model {
    /// Bytes, time and accuracy of several networks, the original first.
    /// - Parameters:
    ///   - models: the networks, all of the same classes.
    ///   - data: images to classify, if accuracy is wanted.
    ///   - options: what is said about preprocessing; a network whose file says nothing is shown what the first is shown.
    ///   - seconds: how long to time each of them.
    ///   - pool: the threads that share the work.
    ///   - progress: told of each batch; it may throw.
    /// - Throws: as ``evaluate(on:preprocessing:reference:keepsAnswers:pool:options:progress:)``, and ``FileError``.
    public static func compared(
        _ models: [Model], on data: (any DataSet)?, preprocessing options: PreprocessingOptions = .init(),
        seconds: Double, pool: ThreadPool, progress: JobProgress.Handler = { _ in }
    ) throws -> [ComparedNetwork] {
        guard let first = models.first else { return [] }
        let times = try latencies(of: models, seconds: seconds, pool: pool)
        let original = try data.map { _ in (model: first, preprocessing: try first.preprocessing(options)) }
        return try models.enumerated().map { index, model in
            let size = try FileManager.default.attributesOfItem(atPath: model.path)[.size] as? Int
            var result = ComparedNetwork(
                path: model.path, fileBytes: size ?? 0, constantBytes: model.network.constantBytes,
                milliseconds: times[index])
            // Without labels the first has nothing to be compared with.
            if let data, let original, index > 0 || data.labelSource != .none {
                let own = (try? model.preprocessing(options)) ?? original.preprocessing
                result.evaluation = try model.evaluate(
                    on: data, preprocessing: own, reference: index > 0 ? original : nil, pool: pool, progress: progress)
            }
            return result
        }
    }

    /// The 10th percentile of each network's time for one image of noise, in milliseconds. They take turns, so that what
    /// else the machine does befalls them alike.
    private static func latencies(of models: [Model], seconds: Double, pool: ThreadPool) throws -> [Double] {
        let runs = try models.map { model in
            let executor = try Executor(network: model.network, pool: pool)
            return (executor: executor, input: try executor.noise(try model.timedShape(batch: 1)))
        }
        for run in runs { _ = try run.executor.run(run.input) }
        var times = [[Double]](repeating: [], count: runs.count)
        let begin = ContinuousClock.now
        while times[0].count < 5 || (ContinuousClock.now - begin) / .seconds(1) < seconds * Double(runs.count) {
            for (index, run) in runs.enumerated() {
                let start = ContinuousClock.now
                _ = try run.executor.run(run.input)
                times[index].append((ContinuousClock.now - start) / .milliseconds(1))
            }
        }
        return times.map { $0.sorted()[($0.count + 9) / 10 - 1] }
    }
}
