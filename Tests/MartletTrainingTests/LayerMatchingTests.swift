import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletTraining

@Suite struct LayerMatchingTests {
    /// The loss by its definition in double precision: two layers, of two images each.
    private func loss(_ outputs: [[Double]], _ wanted: [[Double]]) -> Double {
        zip(outputs, wanted).reduce(0) { sum, layer in
            let errors = zip(layer.0, layer.1).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return sum + errors / layer.1.reduce(0) { $0 + $1 * $1 } / 2
        }
    }

    @Test(arguments: [1, 3]) func lossAndGradient(threads: Int) throws {
        var generator = SeededGenerator(seed: 5)
        let shapes: [Shape] = [[2, 3, 2, 2], [2, 4]]
        let outputs = try shapes.map { try Tensor(generator.floats($0.elementCount), shape: $0) }
        let wanted = try shapes.map { try Tensor(generator.floats($0.elementCount), shape: $0) }
        // What is there already is added to.
        var first = try Tensor([Float](repeating: 1, count: 24), shape: shapes[0])
        var second = try Tensor(zeros: shapes[1], elementType: .float32)
        let found = try first.withMutableView { first in
            try second.withMutableView { second in
                outputs.withViews {
                    LayerMatching.evaluate(
                        $0, wanted: wanted, gradients: [first, second], pool: ThreadPool(threadCount: threads))
                }
            }
        }
        var exact = try outputs.map { try $0.elements(Float.self).map(Double.init) }
        let targets = try wanted.map { try $0.elements(Float.self).map(Double.init) }
        #expect(abs(found - loss(exact, targets)) < 1e-6)
        let gradients = [try first.elements(Float.self).map { $0 - 1 }, try second.elements(Float.self)]
        for layer in exact.indices {
            for index in exact[layer].indices {
                let value = exact[layer][index]
                exact[layer][index] = value + 1e-5
                let more = loss(exact, targets)
                exact[layer][index] = value - 1e-5
                let difference = (more - loss(exact, targets)) / 2e-5
                exact[layer][index] = value
                #expect(abs(Double(gradients[layer][index]) - difference) < 1e-5)
            }
        }
    }

    /// A layer that puts out nothing has no relative error, and is no reason to divide by zero.
    @Test func silentLayers() throws {
        let zeros = try Tensor(zeros: [2, 3], elementType: .float32)
        let ones = try Tensor([Float](repeating: 1, count: 6), shape: [2, 3])
        var gradient = zeros
        let found = try gradient.withMutableView { gradient in
            [ones].withViews {
                LayerMatching.evaluate($0, wanted: [zeros], gradients: [gradient], pool: ThreadPool(threadCount: 1))
            }
        }
        #expect(found == 0 && gradient == zeros)
    }
}

extension Array where Element == Tensor {
    /// Calls `body` with views of these tensors, valid only inside it.
    fileprivate func withViews<Result>(_ body: ([TensorView]) throws -> Result) rethrows -> Result {
        func collect(_ views: [TensorView]) throws -> Result {
            if views.count == count { return try body(views) }
            return try self[views.count].withView { try collect(views + [$0]) }
        }
        return try collect([])
    }
}
