import Foundation
import MartletEvaluation
import MartletFiles
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

extension Model {
    /// Where the algorithms that were found by measuring are kept: beside the model.
    public var tuningPath: String { path + ".tuning.json" }

    /// The algorithms that were measured for this network on this processor, from the file beside the model, or measured
    /// now and kept there. Extents that the network leaves open are 224.
    ///
    /// - Parameters:
    ///   - pool: The threads that share the work.
    ///   - seconds: How long to measure each algorithm.
    ///   - progress: Told of each measurement; what it throws ends the work, and nothing is written.
    /// - Throws: ``NetworkError``, ``FileError``.
    public func tuning(
        pool: ThreadPool, seconds: Double = 1, progress: JobProgress.Handler = { _ in }
    ) throws -> Tuning {
        // Times do not depend on values.
        let input = [
            network.inputs.first?.name ?? "": try Tensor(zeros: try timedShape(batch: 1), elementType: .float32)
        ]
        let set = try InstructionSet.chosen()
        // A file that does not read is one of another version: what it says can be measured again.
        if let bytes = try? Data(contentsOf: URL(fileURLWithPath: tuningPath)),
            let kept = try? JSONDecoder().decode(Tuning.self, from: bytes),
            try kept.isValid(for: network, on: input, set: set)
        {
            return kept
        }
        try OutputFile.checkWritable(tuningPath)
        let tuning = try Tuning(measuring: network, on: input, pool: pool, seconds: seconds) { done, total in
            try progress(JobProgress(task: "tune", done: done, total: total, unit: "measurements"))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try OutputFile.write(try encoder.encode(tuning), to: tuningPath)
        return tuning
    }
}
