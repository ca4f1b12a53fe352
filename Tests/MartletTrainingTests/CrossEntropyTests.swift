import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletTraining

@Suite struct CrossEntropyTests {
    /// The loss of two images of three classes, by its definition in double precision.
    private func loss(_ y: [Double], _ wanted: [[Double]]) -> Double {
        (0..<2).reduce(0) { sum, row in
            let scores = y[3 * row..<3 * row + 3].map { $0 }
            let logarithm = Dual(scores.reduce(0) { $0 + Dual($1).exponential.value }).logarithm.value
            return sum - (0..<3).reduce(0) { $0 + wanted[row][$1] * (scores[$1] - logarithm) } / 2
        }
    }

    @Test(arguments: [
        ([Target.label(2), .label(0)], Float(0), [[0, 0, 1], [1, 0, 0]]),
        ([.label(2), .label(0)], 0.3, [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]),
        ([.probabilities([0.2, 0.3, 0.5]), .probabilities([1, 0, 0])], 0.3, [[0.2, 0.3, 0.5], [1, 0, 0]]),
    ] as [([Target], Float, [[Double]])])
    func lossAndGradient(targets: [Target], smoothing: Float, wanted: [[Double]]) throws {
        let y: [Float] = [0.5, -1, 2, 0.3, 0.2, -0.7]
        let tensor = try Tensor(y, shape: [2, 3])
        var gradient = try Tensor(zeros: [2, 3], elementType: .float32)
        let result = try tensor.withView { view in
            try gradient.withMutableView {
                try CrossEntropy(smoothing: smoothing).evaluate(view, targets: targets, gradient: $0)
            }
        }
        let exact = y.map { Double($0) }
        #expect(abs(result.loss - loss(exact, wanted)) < 1e-6)
        #expect(result.correct == 2)
        let found = try gradient.elements(Float.self)
        for index in y.indices {
            var (more, less) = (exact, exact)
            more[index] += 1e-6
            less[index] -= 1e-6
            let difference = (loss(more, wanted) - loss(less, wanted)) / 2e-6
            #expect(abs(Double(found[index]) - difference) < 1e-6)
        }
    }

    @Test func whatDoesNotFit() throws {
        let tensor = try Tensor([0 as Float, 1], shape: [1, 2])
        var gradient = tensor
        try tensor.withView { view in
            try gradient.withMutableView { target in
                for wrong in [[Target.label(2)], [.label(-1)], [.probabilities([1])], []] {
                    #expect(throws: TrainingError.self) {
                        _ = try CrossEntropy().evaluate(view, targets: wrong, gradient: target)
                    }
                }
            }
        }
    }
}
