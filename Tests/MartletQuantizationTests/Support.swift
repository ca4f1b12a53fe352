import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport

@testable import MartletQuantization

/// One pool for each number of threads.
let pools = [ThreadPool(threadCount: 1), ThreadPool(threadCount: 2), ThreadPool(threadCount: 3)]

/// Batches of random images of a shape, four images each.
func batches(_ count: Int, extents: [Int], seed: UInt64 = 5) throws -> [Tensor] {
    var generator = SeededGenerator(seed: seed)
    return try (0..<count).map { _ in
        let shape = try Shape([4] + extents)
        return try Tensor(generator.floats(shape.elementCount), shape: shape)
    }
}

/// A source of batches that are there already.
func source(_ batches: [Tensor]) -> CalibrationBatches { { body in for batch in batches { try body(batch) } } }

/// The outputs of a network on a batch.
func run(_ network: Network, _ batch: Tensor, threads: Int = 2) throws -> [String: Tensor] {
    try Executor(network: network, pool: pools[threads - 1]).run([network.inputs[0].name: batch])
}

/// The squared difference of a network's first output from another's, relative to that one's square.
func relativeError(_ network: Network, of original: Network, on batch: Tensor) throws -> Double {
    let name = original.outputs[0].name
    guard let a = try run(original, batch)[name], let b = try run(network, batch)[name] else { return .infinity }
    let (difference, whole) = a.squaredDifference(from: b)
    return difference / whole
}

/// A network with the shapes that decomposed, residual and branching networks have: a Tucker-2 chain, a CP chain with depthwise
/// factors, a sum, a maximum pooling, a concatenation and a classifier.
func branchingNetwork(seed: UInt64 = 1) throws -> Network {
    var builder = NetworkBuilder(seed: seed)
    let stem = builder.relu(
        "stem.relu", try builder.convolution("stem", "input", outputs: 8, inputs: 3, kernel: [3, 3], padding: 1))
    // Tucker-2: three factors without anything between.
    let first = try builder.convolution("tucker.1", stem, outputs: 5, inputs: 8, kernel: [1, 1])
    let core = try builder.convolution("tucker.2", first, outputs: 6, inputs: 5, kernel: [3, 3], padding: 1)
    let last = try builder.convolution("tucker.3", core, outputs: 8, inputs: 6, kernel: [1, 1])
    let sum = builder.relu("sum.relu", builder.node("sum", .arithmetic(.add), [last, stem]))
    // CP: two depthwise factors in the middle.
    let a = try builder.convolution("cp.1", sum, outputs: 6, inputs: 8, kernel: [1, 1])
    let window = Window(kernel: [3, 1], padding: .explicit(before: [1, 0], after: [1, 0]))
    let column = try builder.constant("cp.2.weight", [6, 1, 3, 1])
    let b = builder.node("cp.2", .convolution(Convolution(window: window, groups: 6)), [a, column])
    let across = Window(kernel: [1, 3], padding: .explicit(before: [0, 1], after: [0, 1]))
    let row = try builder.constant("cp.3.weight", [6, 1, 1, 3])
    let c = builder.node("cp.3", .convolution(Convolution(window: across, groups: 6)), [b, row])
    let d = builder.relu("cp.4.relu", try builder.convolution("cp.4", c, outputs: 8, inputs: 6, kernel: [1, 1]))
    let pooled = builder.node(
        "max", .maxPool(Pooling(window: Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1])))), [d]
    )
    let joined = builder.node("concat", .concat(axis: 1), [pooled, sum])
    let mean = builder.node("mean", .globalAveragePool, [joined])
    let flat = builder.node("flatten", .flatten(axis: 1), [mean])
    let weight = try builder.constant("fc.weight", [4, 16])
    let logits = builder.node(
        "fc", .gemm(Gemm(transposesB: true)), [flat, weight, try builder.constant("fc.bias", [4])])
    return try builder.network(
        input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(10), .fixed(10)]), output: logits,
        type: TensorType(.float32, [.symbol("N"), .fixed(4)])
    ).simplified()
}
