import Foundation
import MartletCompression
import MartletImages
import MartletNetworks
import MartletStatistics

extension Model {
    /// The compressed network, which carries the preprocessing and how it was made, and what became of each layer.
    ///
    /// The preprocessing written is what the options say, else what the statistics were gathered with, else what the file
    /// says, if any of them does.
    /// - Parameters:
    ///   - compressor: which layers, by which methods, with which ranks.
    ///   - statistics: of this network, where a method or the report needs them.
    ///   - options: what is said about preprocessing.
    ///   - checkCancellation: called often, on any thread; what it throws ends the job.
    ///   - progress: told after each layer; it may throw, too.
    /// - Throws: ``CompressionError``, ``StatisticsError``, ``PreprocessingError``, `DecompositionError`.
    public func compressed(
        by compressor: Compressor, statistics: Statistics?, preprocessing options: PreprocessingOptions = .init(),
        checkCancellation: () throws -> Void = {}, progress: JobProgress.Handler = { _ in }
    ) throws -> (model: Model, report: CompressionReport) {
        let (network, report) = try compressor.compress(
            network, statistics: statistics, checkCancellation: checkCancellation
        ) { layer, done, count in
            try progress(JobProgress(task: "compress", done: done, total: count, unit: "layers"))
        }
        let model = try stamped(
            network, report, provenance: statistics?.provenance ?? compressor.gradients?.provenance,
            seed: compressor.options.seed, preprocessing: options)
        return (model, report)
    }

    /// The model with a compressed network that says how its images are prepared and how it was made.
    func stamped(
        _ network: Network, _ report: CompressionReport, provenance: Provenance?, seed: UInt64,
        preprocessing options: PreprocessingOptions
    ) throws -> Model {
        var result = self
        result.network = network
        let known = provenance?.preprocessing ?? network[metadata: Model.preprocessingKey]
        if known != nil || options != PreprocessingOptions() {
            result.network[metadata: Model.preprocessingKey] =
                try options.resolve(metadata: known, network: path).json
        }
        result.network[metadata: Model.recipeKey] = try recipe(report, provenance: provenance, seed: seed)
        return result
    }

    private struct Recipe: Codable {
        var version: String
        var methods: [String: DecompositionMethod]
        var vbmfRatio: Double?
        var seed: UInt64
        var ranks: [String: [Int]]
        var data: String?
        var dataDigest: String?
        var images: Int?

        enum CodingKeys: String, CodingKey {
            case version, methods, seed, ranks, data, images
            case vbmfRatio = "vbmf_ratio"
            case dataDigest = "data_digest"
        }
    }

    private func recipe(
        _ report: CompressionReport, provenance: Provenance?, seed: UInt64
    ) throws -> String {
        var ranks: [String: [Int]] = [:]
        var methods: [String: DecompositionMethod] = [:]
        for layer in report.layers where layer.kept == nil {
            ranks[layer.name] = layer.ranks
            methods[layer.name] = layer.method
        }
        let recipe = Recipe(
            version: MartletVersion.current, methods: methods, vbmfRatio: report.vbmfRatio, seed: seed,
            ranks: ranks,
            data: provenance?.data, dataDigest: provenance?.dataDigest,
            images: provenance?.images)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(recipe), as: UTF8.self)
    }
}
