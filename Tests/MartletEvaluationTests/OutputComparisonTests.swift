import Foundation
import MartletEvaluation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct OutputComparisonTests {
    let pool = ThreadPool(threadCount: 2)

    @Test func equalsTheDefinitions() throws {
        let (original, other) = (try SmallNetwork.residual(seed: 1), try SmallNetwork.residual(seed: 3))
        var generator = SeededGenerator(seed: 5)
        let batch = try Tensor(generator.floats(6 * 3 * 144), shape: [6, 3, 12, 12])
        let comparison = try OutputComparison(
            original: original, batches: [(batch, [0, 1, 2, 3, nil, 0])], pool: pool)
        let same = try comparison.change(of: original)
        #expect(same.divergence == 0 && same.scoreError == 0 && same.agreement == 1 && same.images == 6)

        func scores(_ network: Network) throws -> [[Double]] {
            let tensor = try #require(
                try Executor(network: network, pool: pool).run(["input": batch])[network.outputs[0].name])
            let values = try tensor.elements(Float.self).map(Double.init)
            return (0..<6).map { Array(values[$0 * 4..<$0 * 4 + 4]) }
        }
        let (a, b) = (try scores(original), try scores(other))
        var (divergence, squares, whole, agreed, right) = (0.0, 0.0, 0.0, 0, [0, 0])
        for (image, (x, y)) in zip(a, b).enumerated() {
            let (zx, zy) = (x.reduce(0) { $0 + exp($1) }, y.reduce(0) { $0 + exp($1) })
            let (mx, my) = (x.reduce(0, +) / 4, y.reduce(0, +) / 4)
            for (s, t) in zip(x, y) {
                divergence += exp(s) / zx * log(exp(s) / zx / (exp(t) / zy)) / 6
                squares += pow(s - mx - t + my, 2)
                whole += pow(s - mx, 2)
            }
            let (first, second) = (x.firstIndex(of: x.max() ?? 0), y.firstIndex(of: y.max() ?? 0))
            if first == second { agreed += 1 }
            if let label = comparison.batches[0].labels[image] {
                if first == label { right[0] += 1 }
                if second == label { right[1] += 1 }
            }
        }
        let change = try comparison.change(of: other)
        #expect(abs(change.divergence - divergence) < 1e-5)
        #expect(abs(change.scoreError - squares / whole) < 1e-5)
        // Larger changes, more often another class; none at all change none.
        let parts = [0, 0.01, 0.3, 10, 1e6].map { comparison.disagreement(scoreError: $0) }
        #expect(parts[0] == 0 && zip(parts, parts.dropFirst()).allSatisfy { $0 <= $1 })
        // What is left is chance: of four classes three are others.
        #expect(abs(parts[4] - 0.75) < 0.15)
        #expect(change.agreed == agreed)
        #expect(change.right == OutputChange.Right(labelled: 5, original: right[0], changed: right[1]))
    }

    @Test func refusesOtherClasses() throws {
        let batch = try Tensor(zeros: [1, 3, 12, 12], elementType: .float32)
        let comparison = try OutputComparison(
            original: try SmallNetwork.residual(), batches: [(batch, [nil])], pool: pool)
        #expect(throws: EvaluationError.classCountMismatch(network: 5, reference: 4)) {
            try comparison.change(of: try SmallNetwork.residual(classes: 5))
        }
    }
}
