import Foundation
import MartletCompression
import MartletEvaluation

/// A network compressed to several budgets by several methods, each result evaluated.
public struct SweepResult: Codable, Sendable {
    /// What a network costs and does.
    public struct Figures: Codable, Sendable {
        /// Trained numbers.
        public var parameters: Int
        /// Multiply-adds on one image.
        public var multiplyAdds: Int
        /// Milliseconds an image on this machine (10th percentile), where layers were timed.
        public var milliseconds: Double?
        /// Accuracy and agreement on the images that it was evaluated on.
        public var evaluation: EvaluationResult

        enum CodingKeys: String, CodingKey {
            case parameters, milliseconds, evaluation
            case multiplyAdds = "macs"
        }
    }

    /// One compressed network.
    public struct Point: Codable, Sendable {
        /// ``SweepMethod/name``.
        public var method: String
        /// The budget as text.
        public var budget: String
        /// What came of it; `nil` where the budget is out of reach.
        public var figures: Figures?
        /// Why there are no figures.
        public var problem: String?
        /// The agreement that was predicted before it was looked at.
        public var predicted: AgreementPrediction?
        /// What became of each layer.
        public var layers: [CompressionReport.Layer]
        /// The command that makes this network.
        public var command: String
    }

    /// The network's name.
    public var network: String
    /// What the compressed networks were evaluated on.
    public var data: String
    /// What they were calibrated on.
    public var calibration: String
    /// The version of Martlet.
    public var version: String
    /// The network as it is.
    public var original: Figures
    /// The compressed networks, method by method, in the order of the budgets.
    public var points: [Point]

    /// The result as JSON with sorted keys.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// The figures as comma-separated values (RFC 4180), a line for the original and one for each point.
    public var csv: String {
        func field(_ text: String) -> String {
            text.contains { ",\"\n\r".contains($0) }
                ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
        }
        func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        var lines = [
            "method,budget,parameters,macs,milliseconds,images,top1,top1_low,top1_high,top5,agreement,"
                + "predicted_agreement,predicted_low,predicted_high,problem,command"
        ]
        func add(
            _ method: String, _ budget: String, _ figures: Figures?, _ predicted: AgreementPrediction?,
            _ problem: String, _ command: String
        ) {
            let evaluation = figures?.evaluation
            let interval = evaluation?.top1Interval ?? []
            var fields = [method, budget, figures.map { "\($0.parameters)" } ?? ""]
            fields += [figures.map { "\($0.multiplyAdds)" } ?? "", number(figures?.milliseconds)]
            fields += [evaluation.map { "\($0.images)" } ?? "", number(evaluation?.top1)]
            fields += [number(interval.first), number(interval.last), number(evaluation?.top5)]
            fields += [number(evaluation?.agreement), number(predicted?.agreement)]
            fields += [number(predicted?.interval.first), number(predicted?.interval.last), problem, command]
            lines.append(fields.map(field).joined(separator: ","))
        }
        add("original", "", original, nil, "", "")
        for point in points {
            add(
                point.method, point.budget, point.figures, point.predicted, point.problem ?? "", point.command)
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }
}
