import MartletEvaluation
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTraining

extension Model {
    /// The gradient of the mean cross-entropy of a batch by each parameter, and the loss.
    ///
    /// - Parameters:
    ///   - input: Float32 `[N, ...]`, as the network takes it.
    ///   - labels: N classes.
    ///   - pool: The threads that share the work.
    /// - Throws: ``NetworkError`` for a network that cannot be differentiated, ``TrainingError`` for labels that do not fit.
    public func gradients(
        input: Tensor, labels: [Int], pool: ThreadPool
    ) throws -> (loss: Double, gradients: [(name: String, gradient: Tensor)]) {
        let differentiable = try DifferentiableNetwork(network, pool: pool)
        guard let name = network.inputs.first?.name else {
            throw NetworkError.unsupported(node: network.name, reason: "learning without an input")
        }
        let targets = labels.map { Target.label($0) }
        let loss = try differentiable.differentiate([name: input]) { output, gradient in
            try CrossEntropy().evaluate(output, targets: targets, gradient: gradient).loss
        }
        let store = differentiable.store
        return (loss, try store.parameters.map { ($0.name, try store.gradientTensor(of: $0.name)) })
    }

    /// Times a pass forward and backward over `batch` images of noise, again and again for `seconds`.
    /// - Throws: ``NetworkError``.
    public func trainingLatency(batch: Int, seconds: Double, pool: ThreadPool) throws -> LatencyMeasurement {
        let shape = try timedShape(batch: batch)
        let name = network.inputs[0].name
        var random = SplitMix64(seed: 1)
        let input = try Tensor((0..<shape.elementCount).map { _ in random.uniform() * 2 - 1 }, shape: shape)
        let differentiable = try DifferentiableNetwork(network, pool: pool)
        let bytes = { try differentiable.peakBytes([name: shape]) }
        return try LatencyMeasurement(seconds: seconds, plannedBytes: bytes) {
            _ = try differentiable.differentiate([name: input]) { output, gradient in
                let classes = max(1, output.shape.elementCount / max(1, batch))
                let targets = (0..<batch).map { Target.label($0 % classes) }
                return try CrossEntropy().evaluate(output, targets: targets, gradient: gradient).loss
            }
        }
    }
}
