import Foundation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// How far the outputs of a changed network are from those of the original, on some images.
public struct OutputChange: Codable, Sendable, Equatable {
    /// The images compared.
    public var images: Int
    /// The mean Kullback-Leibler divergence of the changed network's class probabilities from the original's, in nats.
    public var divergence: Double
    /// The mean square of the change of the class scores (each image's mean taken off; logarithms of probabilities after
    /// a softmax), relative to the mean square of the scores themselves.
    public var scoreError: Double
    /// The images on which both give the same class first.
    public var agreed: Int
    /// The images with a label that the original gets right, and the changed network; `nil` without labels.
    public var right: Right?

    /// Counts of right answers.
    public struct Right: Codable, Sendable, Equatable {
        /// Images with a label.
        public var labelled: Int
        /// By the original.
        public var original: Int
        /// By the changed network.
        public var changed: Int

        /// Counts.
        public init(labelled: Int, original: Int, changed: Int) {
            self.labelled = labelled
            self.original = original
            self.changed = changed
        }
    }

    /// The part of the images on which both give the same class first.
    public var agreement: Double { Double(agreed) / Double(max(images, 1)) }
}

/// Compares changed networks with an original on images that are held in memory, prepared.
public final class OutputComparison: Sendable {
    /// The images, batch by batch, and their labels.
    public let batches: [(tensor: Tensor, labels: [Int?])]
    private let original: Network
    private let rows: [[[Double]]]
    private let pool: ThreadPool

    /// Runs the original once.
    /// - Parameters:
    ///   - original: the network to compare with.
    ///   - batches: images `[n, C, H, W]` and their labels.
    ///   - pool: the threads that share the work.
    /// - Throws: `NetworkError`, ``EvaluationError``.
    public init(original: Network, batches: [(tensor: Tensor, labels: [Int?])], pool: ThreadPool) throws {
        self.original = original
        self.batches = batches
        self.pool = pool
        rows = try OutputComparison.logProbabilities(of: original, batches.map(\.tensor), pool)
    }

    /// The number of images.
    public var images: Int { rows.reduce(0) { $0 + $1.count } }

    /// How far a network of the same inputs and outputs is from the original.
    /// - Throws: `NetworkError`, ``EvaluationError``.
    public func change(of network: Network) throws -> OutputChange {
        let others = try OutputComparison.logProbabilities(of: network, batches.map(\.tensor), pool)
        var result = OutputChange(images: 0, divergence: 0, scoreError: 0, agreed: 0, right: nil)
        var (squares, whole) = (0.0, 0.0)
        var right = OutputChange.Right(labelled: 0, original: 0, changed: 0)
        for (index, (own, other)) in zip(rows, others).enumerated() {
            for (image, (p, q)) in zip(own, other).enumerated() {
                guard p.count == q.count else {
                    throw EvaluationError.classCountMismatch(network: q.count, reference: p.count)
                }
                result.images += 1
                var divergence = 0.0
                for (a, b) in zip(p, q) { divergence += exp(a) * (a - b) }
                result.divergence += max(0, divergence)
                let (meanP, meanQ) = (p.reduce(0, +) / Double(p.count), q.reduce(0, +) / Double(q.count))
                for (a, b) in zip(p, q) {
                    let (a, b) = (a - meanP, b - meanQ)
                    squares += (a - b) * (a - b)
                    whole += a * a
                }
                let (first, second) = (OutputComparison.best(p), OutputComparison.best(q))
                if first == second { result.agreed += 1 }
                if let label = batches[index].labels[image] {
                    right.labelled += 1
                    if first == label { right.original += 1 }
                    if second == label { right.changed += 1 }
                }
            }
        }
        result.divergence /= Double(max(result.images, 1))
        result.scoreError = whole > 0 ? squares / whole : 0
        if right.labelled > 0 { result.right = right }
        return result
    }

    /// How often another class would come first if the class scores changed at random: each image's scores by independent
    /// normal numbers whose mean square is `scoreError` times that of all scores, as ``OutputChange/scoreError`` has it.
    ///
    /// Sixteen draws for each image, from one seed.
    public func disagreement(scoreError: Double) -> Double {
        let centred = rows.flatMap { $0 }.map { row in
            let mean = row.reduce(0, +) / Double(row.count)
            return row.map { $0 - mean }
        }
        let count = centred.reduce(0) { $0 + $1.count }
        let whole = centred.reduce(0.0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }
        guard count > 0, scoreError > 0 else { return 0 }
        let deviation = (scoreError * whole / Double(count)).squareRoot()
        let draws = 16
        var random = SplitMix64(seed: 1)
        /// Uniform in 0 < x <= 1.
        func uniform() -> Double { Double((random.next() >> 11) + 1) * 0x1p-53 }
        var changed = 0
        for row in centred {
            let first = OutputComparison.best(row)
            for _ in 0..<draws {
                let other = row.map { score in
                    score + deviation * (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
                }
                if OutputComparison.best(other) != first { changed += 1 }
            }
        }
        return Double(changed) / Double(draws * centred.count)
    }

    private static func best(_ row: [Double]) -> Int {
        var best = 0
        for index in row.indices where row[index] > row[best] { best = index }
        return best
    }

    private static func logProbabilities(
        of network: Network, _ batches: [Tensor], _ pool: ThreadPool
    ) throws -> [[[Double]]] {
        let executor = try Executor(network: network, pool: pool)
        guard let input = network.inputs.first, let output = network.outputs.first else {
            throw EvaluationError.outputShape(found: "missing")
        }
        let isProbability: Bool
        if case .probabilities = network.scores { isProbability = true } else { isProbability = false }
        return try batches.map { batch in
            guard let tensor = try executor.run([input.name: batch])[output.name] else {
                throw EvaluationError.outputShape(found: "missing")
            }
            return try Evaluator.rows(tensor).enumerated().map { index, row in
                guard row.allSatisfy(\.isFinite) else { throw EvaluationError.nonFinite(image: "\(index)") }
                if isProbability { return row.map { log(max(Double($0), 1e-30)) } }
                let maximum = Double(row.max() ?? 0)
                let sum = log(row.reduce(0.0) { $0 + exp(Double($1) - maximum) })
                return row.map { Double($0) - maximum - sum }
            }
        }
    }
}
