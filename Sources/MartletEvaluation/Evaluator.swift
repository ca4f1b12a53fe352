import Foundation
import MartletImages
import MartletNetworks
import MartletTensors

/// Counts right and wrong while batches go by.
public struct Evaluator: Sendable {
    /// Whether the network ends in a softmax, so that its scores are probabilities already.
    private let scores: Scores
    private var images = 0
    private var labelled = 0
    private var top1 = 0
    private var top5 = 0
    private var loss = 0.0
    private var compared = 0
    private var agreed = 0
    private var answers: [Int]?
    private var labels: [Int?]?

    /// What a network's scores are.
    public enum Scores: Sendable {
        /// Anything whose softmax are the probabilities.
        case logits
        /// Probabilities.
        case probabilities
    }

    /// An evaluator of scores of a kind, which keeps each image's answer and label if asked to.
    public init(scores: Scores, keepsAnswers: Bool = false) {
        self.scores = scores
        if keepsAnswers { (answers, labels) = ([], []) }
    }

    /// Adds the scores `[n, classes]` (further axes of extent 1 are allowed) of a batch and, with a reference, its scores.
    /// - Throws: ``EvaluationError``.
    public mutating func add(_ output: Tensor, reference: Tensor? = nil, batch: Batch) throws {
        let rows = try Evaluator.rows(output)
        let others = try reference.map(Evaluator.rows)
        for (index, row) in rows.enumerated() {
            guard row.allSatisfy(\.isFinite) else { throw EvaluationError.nonFinite(image: batch.names[index]) }
            images += 1
            let best = Evaluator.ranking(row, 1)[0]
            answers?.append(best)
            labels?.append(batch.labels[index])
            if let others {
                guard others.count == rows.count, others[index].count == row.count else {
                    throw EvaluationError.classCountMismatch(network: row.count, reference: others[index].count)
                }
                compared += 1
                if Evaluator.ranking(others[index], 1)[0] == best { agreed += 1 }
            }
            guard let label = batch.labels[index] else { continue }
            guard row.indices.contains(label) else {
                throw EvaluationError.labelOutOfRange(label: label, image: batch.names[index], classes: row.count)
            }
            labelled += 1
            if best == label { top1 += 1 }
            if Evaluator.ranking(row, 5).contains(label) { top5 += 1 }
            loss -= logProbability(row, label)
        }
    }

    /// What was counted so far.
    public var result: EvaluationResult {
        var result = EvaluationResult(images: images)
        if labelled > 0 {
            let interval = wilsonInterval(successes: top1, trials: labelled)
            result.top1 = Double(top1) / Double(labelled)
            result.top5 = Double(top5) / Double(labelled)
            result.top1Interval = [interval.lower, interval.upper]
            result.loss = loss / Double(labelled)
        }
        if compared > 0 { result.agreement = Double(agreed) / Double(compared) }
        (result.answers, result.labels) = (answers, labels)
        return result
    }

    private func logProbability(_ row: [Float], _ label: Int) -> Double {
        switch scores {
        case .probabilities:
            // A probability that rounded to zero is taken for the smallest there is.
            return log(max(Double(row[label]), Double(Float.leastNormalMagnitude)))
        case .logits:
            let maximum = Double(row.max() ?? 0)
            let sum = row.reduce(0.0) { $0 + exp(Double($1) - maximum) }
            return Double(row[label]) - maximum - log(sum)
        }
    }

    /// The scores of each image.
    /// - Throws: ``EvaluationError/outputShape(found:)``.
    public static func rows(_ output: Tensor) throws -> [[Float]] {
        let extents = output.shape.extents
        guard extents.count >= 2, output.elementType == .float32, extents[1] > 0,
            extents[2...].allSatisfy({ $0 == 1 })
        else { throw EvaluationError.outputShape(found: "\(output.elementType) \(output.shape)") }
        return output.withElements(of: Float.self) { elements in
            (0..<extents[0]).map { Array(elements[$0 * extents[1]..<($0 + 1) * extents[1]]) }
        }
    }

    /// The probabilities of an image's classes.
    public static func probabilities(_ row: [Float], scores: Scores) -> [Double] {
        if case .probabilities = scores { return row.map { Double($0) } }
        let maximum = row.max() ?? 0
        let powers = row.map { exp(Double($0 - maximum)) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    /// The classes of the `count` highest scores, the highest first; of equal scores the lower class first.
    public static func ranking(_ row: [Float], _ count: Int) -> [Int] {
        if count == 1 {
            var best = 0
            for index in row.indices where row[index] > row[best] { best = index }
            return [best]
        }
        return Array(row.indices.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(count))
    }
}

extension Network {
    /// What the first output's scores are: probabilities if it comes out of a softmax.
    public var scores: Evaluator.Scores {
        guard let output = outputs.first else { return .logits }
        for node in nodes where node.outputs.first == output.name {
            if case .softmax(let softmax) = node.operation, !softmax.isLogarithmic { return .probabilities }
        }
        return .logits
    }
}
