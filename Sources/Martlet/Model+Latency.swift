import MartletEvaluation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

extension Model {
    /// Times the network on noise, `batch` images a run; extents its file leaves open are 224. A model that is used no
    /// more takes less memory here.
    /// - Throws: ``NetworkError``.
    public consuming func latency(
        batch: Int, seconds: Double, pool: ThreadPool, options: Executor.Options = Executor.Options()
    ) throws -> LatencyMeasurement {
        let shape = try timedShape(batch: batch)
        let input = [network.inputs[0].name: try Tensor(zeros: shape, elementType: .float32)]
        let executor = try Executor(network: (consume self).network, fixedTo: input, pool: pool, options: options)
        return try LatencyMeasurement(executor, shape: shape, seconds: seconds)
    }

    /// Where the time goes, node by node, on the input of ``latency(batch:seconds:pool:options:)``.
    /// - Throws: ``NetworkError``.
    public func profile(
        batch: Int, seconds: Double, pool: ThreadPool, options: Executor.Options = Executor.Options()
    ) throws -> ExecutionProfile {
        let executor = try Executor(network: network, pool: pool, options: options)
        return try executor.profile(try executor.noise(try timedShape(batch: batch)), seconds: seconds)
    }

    /// The shape of `batch` images; extents its file leaves open are 224.
    func timedShape(batch: Int) throws -> Shape {
        guard network.inputs.count == 1, let input = network.inputs.first, input.type.elementType == .float32 else {
            throw NetworkError.unsupported(
                node: network.name, reason: "timing needs one floating-point input")
        }
        return try Shape(
            input.type.dimensions.enumerated().map { axis, dimension in
                dimension.value ?? (axis == 0 ? batch : 224)
            })
    }
}
