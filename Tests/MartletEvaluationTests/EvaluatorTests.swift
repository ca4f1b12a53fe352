import MartletEvaluation
import MartletImages
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct EvaluatorTests {
    func batch(_ labels: [Int?]) throws -> Batch {
        Batch(
            tensor: try Tensor(zeros: [1], elementType: .float32), labels: labels,
            names: labels.indices.map { "image \($0)" }, indices: 0..<labels.count)
    }

    @Test func countsRightAndWrong() throws {
        var evaluator = Evaluator(scores: .logits)
        let scores: [Float] = [
            9, 8, 7, 6, 5, 4, 3,
            0, 0, 0, 0, 0, 0, 0,
            1, 2, 3, 4, 5, 6, 7,
        ]
        try evaluator.add(try Tensor(scores, shape: [3, 7]), batch: try batch([0, 4, 0]))
        let result = evaluator.result
        #expect(result.images == 3)
        #expect(result.top1 == 1.0 / 3)
        // Of equal scores the lower class comes first, so that label 4 is the fifth.
        #expect(result.top5 == 2.0 / 3)
        #expect(result.agreement == nil)
        let log = { (row: ArraySlice<Float>, label: Int) -> Double in
            let powers = row.map { Double($0) }.map { exponential($0) }
            return -logarithm(powers[label] / powers.reduce(0, +))
        }
        let expected = (log(scores[0..<7], 0) + log(scores[7..<14], 4) + log(scores[14..<21], 0)) / 3
        #expect(abs((result.loss ?? 0) - expected) < 1e-9)
    }

    @Test func probabilitiesAreTakenAsTheyAre() throws {
        var evaluator = Evaluator(scores: .probabilities)
        try evaluator.add(try Tensor([0.25, 0.75] as [Float], shape: [1, 2, 1, 1]), batch: try batch([0]))
        #expect(abs((evaluator.result.loss ?? 0) - 1.3862943611198906) < 1e-9)
    }

    @Test func comparesWithAReference() throws {
        var evaluator = Evaluator(scores: .logits)
        let a = try Tensor([1, 2, 2, 1] as [Float], shape: [2, 2])
        let b = try Tensor([1, 2, 1, 2] as [Float], shape: [2, 2])
        try evaluator.add(a, reference: b, batch: try batch([nil, nil]))
        #expect(evaluator.result.agreement == 0.5)
        #expect(evaluator.result.top1 == nil)
        #expect(throws: EvaluationError.classCountMismatch(network: 2, reference: 4)) {
            try evaluator.add(
                a, reference: try Tensor(zeros: [2, 4], elementType: .float32), batch: try batch([0, 0]))
        }
    }

    @Test func refusesWhatCannotBeCounted() throws {
        var evaluator = Evaluator(scores: .logits)
        let two = try Tensor([1, 2] as [Float], shape: [1, 2])
        #expect(throws: EvaluationError.labelOutOfRange(label: 2, image: "image 0", classes: 2)) {
            try evaluator.add(two, batch: try batch([2]))
        }
        #expect(throws: EvaluationError.nonFinite(image: "image 0")) {
            try evaluator.add(try Tensor([1, .nan] as [Float], shape: [1, 2]), batch: try batch([0]))
        }
        #expect(throws: EvaluationError.self) {
            try evaluator.add(try Tensor(zeros: [1, 2, 3, 3], elementType: .float32), batch: try batch([0]))
        }
    }

    @Test func wilsonIntervals() {
        // From the formula in Python.
        let interval = wilsonInterval(successes: 219, trials: 300)
        #expect(abs(interval.lower - 0.6770882627) < 1e-9)
        #expect(abs(interval.upper - 0.7770959706) < 1e-9)
        #expect(wilsonInterval(successes: 0, trials: 10).lower == 0)
        #expect(wilsonInterval(successes: 10, trials: 10).upper == 1)
        #expect(abs(wilsonInterval(successes: 0, trials: 10).upper - 0.2775327999) < 1e-9)
        #expect(wilsonInterval(successes: 0, trials: 0) == (0, 1))
    }

    @Test func aSoftmaxAtTheEndGivesProbabilities() throws {
        var network = try SmallNetwork.residual()
        #expect({ if case .logits = network.scores { true } else { false } }())
        let logits = network.outputs[0].name
        network.nodes.append(
            Node(name: "softmax", operation: .softmax(Softmax(axis: 1)), inputs: [logits], outputs: ["p"]))
        network.outputs[0].name = "p"
        #expect({ if case .probabilities = network.scores { true } else { false } }())
    }
}
