import ArgumentParser
import Foundation
import Martlet

extension Compress {
    /// What became of the compressed network before it was written.
    struct Finish: Encodable {
        var refinement: Refinement?
        var quantization: QuantizationReport?

        /// Says it in words.
        func show() {
            refinement?.show()
            quantization?.show()
        }
    }

    /// What learning from the original's layers came to, on images held back.
    struct Refinement: Encodable {
        var passes: Int
        var learningRate: Double?
        var before: TrainingScore
        var after: TrainingScore

        enum CodingKeys: String, CodingKey {
            case passes, before, after
            case learningRate = "learning_rate"
        }

        init?(_ result: TrainingResult, passes: Int) {
            guard let before = result.before, let after = result.after else { return nil }
            (self.before, self.after) = (before, after)
            self.passes = passes
            learningRate = result.learningRate
        }

        func show() {
            let agreements = [before, after].map { Format.percent($0.accuracy) }
            let losses = [before, after].map { Format.fixed($0.loss, 3) }
            print(
                learningRate == nil
                    ? "\nnot refined, for it came no nearer to the original's answers on the images held back"
                    : "\nrefined in \(passes) \(passes == 1 ? "pass" : "passes"): on the images held back, agreement with the original"
                        + " \(agreements[0]) -> \(agreements[1]), cross-entropy \(losses[0]) -> \(losses[1])")
        }
    }

    /// Refines the compressed network and holds it in fewer bits, where that is asked for, and writes it.
    func finish(
        _ compressed: Model, original: Model, progress: @escaping JobProgress.Handler
    ) throws -> Finish {
        var result = Finish()
        var network = compressed
        let checkpoint = output + ".checkpoint"
        if let passes = refine, let data {
            let trained = try network.refined(
                towards: original, on: try images.open(data),
                preprocessing: try original.preprocessing(try preprocessing.options()), passes: passes,
                checkpoint: checkpoint, resumes: resume, pool: threads.pool, progress: progress)
            network = trained.model
            result.refinement = Refinement(trained.result, passes: passes)
        }
        if let then {
            (network, result.quantization) = try then.quantize(
                network, data: try data.map { try images.open($0) }, preprocessing: try preprocessing.options(),
                pool: threads.pool)
        }
        try ONNXWriter.write(network.network, to: output)
        // It has served; one that stays does no harm.
        if refine != nil { try? FileManager.default.removeItem(atPath: checkpoint) }
        return result
    }

    /// What `--json` prints: a report, and beside its entries what was done after it.
    struct WithFinish<Report: Encodable>: Encodable {
        let report: Report
        let finish: Finish?

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            try finish?.encode(to: encoder)
        }
    }
}
