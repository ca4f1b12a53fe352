import MartletEvaluation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

extension Model {
    /// Times the network on noise, `batch` images a run; extents its file leaves open are 224.
    /// - Throws: ``NetworkError``.
    public func latency(batch: Int, seconds: Double, pool: ThreadPool) throws -> LatencyMeasurement {
        guard network.inputs.count == 1, let input = network.inputs.first, input.type.elementType == .float32 else {
            throw NetworkError.unsupported(
                node: network.name, reason: "timing needs one floating-point input")
        }
        let extents = input.type.dimensions.enumerated().map { axis, dimension in
            dimension.value ?? (axis == 0 ? batch : 224)
        }
        return try LatencyMeasurement(
            try Executor(network: network, pool: pool), shape: try Shape(extents), seconds: seconds)
    }
}
