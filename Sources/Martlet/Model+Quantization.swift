import Foundation
import MartletEvaluation
import MartletImages
import MartletNetworks
import MartletParallelism
import MartletQuantization
import MartletTensors

extension Model {
    /// The metadata property that says how a network was quantized, as JSON.
    public static let quantizationKey = "martlet.quantization"

    /// The model with weights in half precision, and what became of each layer.
    /// - Parameters:
    ///   - options: what is said about preprocessing, to be stored in the file.
    ///   - activations: whether activations are to be in half precision, too, for runtimes that compute in it.
    /// - Throws: ``QuantizationError``, ``NetworkError``, ``PreprocessingError``.
    public func halved(
        preprocessing options: PreprocessingOptions = .init(), activations: Bool = false
    ) throws -> (model: Model, report: QuantizationReport) {
        let (halved, tooLarge) =
            activations ? (try HalfPrecision.halvedThroughout(network), []) : try HalfPrecision.halved(network)
        let layers = network.weightedLayers().map { layer in
            QuantizationReport.Layer(
                name: layer.name, precision: tooLarge.contains(layer.weight) ? "float32" : "float16")
        }
        let report = QuantizationReport(
            precision: "fp16", layers: layers, bytesBefore: network.constantBytes, bytesAfter: halved.constantBytes)
        return (try stamped(halved, precision: "fp16", data: nil, preprocessing: options), report)
    }

    /// The model with weights in int8 and activations in uint8, and what became of each layer.
    /// - Parameters:
    ///   - quantizer: what is chosen.
    ///   - data: the calibration images.
    ///   - preprocessing: how they are prepared.
    ///   - maximumDrop: how many points of top-1 accuracy may be lost on the calibration images, or of agreement with the
    ///     original where they have no labels: the layers whose results change most are then left in half precision until no
    ///     more is lost.
    ///   - progress: told of each batch; it may throw.
    /// - Throws: ``QuantizationError``, ``NetworkError``, ``ImageError``, ``PreprocessingError``, ``DataSetError``.
    public func quantized(
        by quantizer: StaticQuantizer, on data: any DataSet, preprocessing: Preprocessing, maximumDrop: Double? = nil,
        progress: @escaping JobProgress.Handler = { _ in }
    ) throws -> (model: Model, report: QuantizationReport) {
        let batches: CalibrationBatches = { body in
            let loader = try loader(data, preprocessing, batchSize: try calibrationBatchSize, pool: quantizer.pool)
            while let batch = try loader.next() { try body(batch.tensor) }
        }
        func quantize(_ quantizer: StaticQuantizer) throws -> (network: Network, report: QuantizationReport) {
            try quantizer.quantized(network, batches: batches) { task, images in
                try progress(JobProgress(task: task, done: images, total: data.count, unit: "images"))
            }
        }
        var result = try quantize(quantizer)
        if let maximumDrop {
            result = try keepingSensitiveLayers(
                of: result, within: maximumDrop, quantizer, on: data, preprocessing: preprocessing, quantize: quantize)
        }
        var model = try stamped(result.network, precision: "int8", data: data, preprocessing: .init())
        model.network[metadata: Model.preprocessingKey] = preprocessing.json
        return (model, result.report)
    }

    /// Leaves the layers that change most in half precision, as few as keep the drop.
    private func keepingSensitiveLayers(
        of first: (network: Network, report: QuantizationReport), within points: Double, _ quantizer: StaticQuantizer,
        on data: any DataSet, preprocessing: Preprocessing,
        quantize: (StaticQuantizer) throws -> (network: Network, report: QuantizationReport)
    ) throws -> (network: Network, report: QuantizationReport) {
        let comparison = try outputs(on: data, preprocessing: preprocessing, pool: quantizer.pool)
        func drop(_ network: Network) throws -> Double {
            let change = try comparison.change(of: network)
            guard let right = change.right else { return 100 * (1 - change.agreement) }
            return 100 * Double(right.original - right.changed) / Double(right.labelled)
        }
        let order = first.report.layers.filter { $0.error != nil }.sorted { ($1.error ?? 0) < ($0.error ?? 0) }.map(
            \.name)
        func attempt(_ count: Int) throws -> (network: Network, report: QuantizationReport, drop: Double) {
            if count == 0 { return (first.network, first.report, try drop(first.network)) }
            var quantizer = quantizer
            quantizer.options.excluded.formUnion(order.prefix(count))
            var (network, report) = try quantize(quantizer)
            network = try HalfPrecision.halved(network).network
            for index in report.layers.indices where report.layers[index].precision == "float32" {
                report.layers[index].precision = "float16"
            }
            report.bytesAfter = network.constantBytes
            return (network, report, try drop(network))
        }
        // Twice as many each time, then half-way back and forth.
        var (low, high) = (-1, 0)
        var best = try attempt(0)
        while best.drop > points {
            if high + 1 >= order.count { throw QuantizationError.dropOutOfReach(points: points) }
            (low, high) = (high, min(order.count - 1, max(1, 2 * high)))
            best = try attempt(high)
        }
        while high - low > 1 {
            let middle = (low + high) / 2
            let found = try attempt(middle)
            if found.drop <= points { (high, best) = (middle, found) } else { low = middle }
        }
        best.report.drop = best.drop
        return (best.network, best.report)
    }

    /// Batches whose intermediate values, all of which are looked at, take some tens of megabytes.
    private var calibrationBatchSize: Int {
        get throws {
            let pixels = try imageExtents.compactMap { $0 }.reduce(1, *)
            return try batchSize(upTo: max(4, min(64, (1 << 19) / max(pixels, 1))))
        }
    }

    private struct Quantization: Codable {
        var version: String
        var precision: String
        var data: String?
        var images: Int?
    }

    /// The model with a quantized network that says how its images are prepared and how it was made.
    private func stamped(
        _ network: Network, precision: String, data: (any DataSet)?, preprocessing options: PreprocessingOptions
    ) throws -> Model {
        var result = self
        result.network = network
        let known = network[metadata: Model.preprocessingKey]
        if known != nil || options != PreprocessingOptions() {
            result.network[metadata: Model.preprocessingKey] =
                try options.resolve(metadata: known, network: path).json
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = try encoder.encode(
            Quantization(
                version: MartletVersion.current, precision: precision, data: data.map { "\($0)" }, images: data?.count))
        result.network[metadata: Model.quantizationKey] = String(decoding: text, as: UTF8.self)
        result.network.shortenNames()
        return result
    }
}
