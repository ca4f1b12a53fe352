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
    /// - Throws: ``CompressionError``, ``StatisticsError``, ``PreprocessingError``, `DecompositionError`.
    public func compressed(
        by compressor: Compressor, statistics: Statistics?, preprocessing options: PreprocessingOptions = .init(),
        progress: JobProgress.Handler = { _ in }
    ) throws -> (model: Model, report: CompressionReport) {
        var result = self
        let (network, report) = try compressor.compress(network, statistics: statistics) { layer, done, count in
            try progress(JobProgress(task: "compress", done: done, total: count, unit: "layers"))
        }
        result.network = network
        let known = statistics?.provenance.preprocessing ?? network[metadata: Model.preprocessingKey]
        if known != nil || options != PreprocessingOptions() {
            result.network[metadata: Model.preprocessingKey] =
                try options.resolve(metadata: known, network: path).json
        }
        result.network[metadata: Model.recipeKey] = try recipe(report, statistics: statistics)
        return (result, report)
    }

    private struct Recipe: Codable {
        var version: String
        var method: CompressionMethod
        var vbmfRatio: Double?
        var ranks: [String: [Int]]
        var data: String?
        var dataDigest: String?
        var images: Int?

        enum CodingKeys: String, CodingKey {
            case version, method, ranks, data, images
            case vbmfRatio = "vbmf_ratio"
            case dataDigest = "data_digest"
        }
    }

    private func recipe(_ report: CompressionReport, statistics: Statistics?) throws -> String {
        var ranks: [String: [Int]] = [:]
        for layer in report.layers where layer.kept == nil { ranks[layer.name] = layer.ranks }
        let recipe = Recipe(
            version: MartletVersion.current, method: report.method, vbmfRatio: report.vbmfRatio, ranks: ranks,
            data: statistics?.provenance.data, dataDigest: statistics?.provenance.dataDigest,
            images: statistics?.provenance.images)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(recipe), as: UTF8.self)
    }
}
