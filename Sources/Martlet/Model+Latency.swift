import Foundation
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

    /// Where the times of this network's layers are kept, in the user's folder for caches; `nil` if there is none to be had.
    public func latencyCache(threads: Int) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let caches =
            environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? environment["HOME"].map { $0 + "/.cache" }
        guard let folder = caches.map({ $0 + "/martlet" }) else { return nil }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            return nil
        }
        var hash = FNV1a()
        for layer in network.weightedLayers() {
            hash.add("\(layer.name) \(layer.outputs) \(layer.inputs) \(layer.kernel) \(layer.groups)")
        }
        hash.add(threads)
        return "\(folder)/latency-\(hash.text).json"
    }

    /// The input that the network is timed on; extents its file leaves open are 224.
    /// - Throws: ``NetworkError``.
    public func timedShape(batch: Int) throws -> Shape {
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
