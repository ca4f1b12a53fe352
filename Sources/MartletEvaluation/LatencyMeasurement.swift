import Foundation
import MartletInference
import MartletNetworks
import MartletTensors

/// How long a network takes, run again and again on one input.
public struct LatencyMeasurement: Codable, Sendable {
    /// Each run, in order, in milliseconds.
    public var latencies: [Double]
    /// Bytes for intermediate values.
    public var plannedBytes: Int

    /// Runs the network on noise of the input's shape for `seconds`, at least 5 times, after two runs that are not counted.
    /// - Throws: `NetworkError`.
    public init(_ executor: Executor, shape: Shape, seconds: Double) throws {
        let input = try executor.noise(shape)
        try self.init(seconds: seconds, plannedBytes: { try executor.peakBytes(input.mapValues { _ in shape }) }) {
            _ = try executor.run(input)
        }
    }

    /// Runs something for `seconds`, at least 5 times, after two runs that are not counted.
    /// - Parameter plannedBytes: Asked afterwards for the bytes of intermediate values.
    /// - Throws: What `run` throws.
    public init(seconds: Double, plannedBytes: () throws -> Int, run: () throws -> Void) throws {
        for _ in 0..<2 { try run() }
        var latencies: [Double] = []
        let begin = ContinuousClock.now
        while latencies.count < 5 || (ContinuousClock.now - begin) / .seconds(1) < seconds {
            let start = ContinuousClock.now
            try run()
            latencies.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        self.latencies = latencies
        self.plannedBytes = try plannedBytes()
    }

    /// The latency that `percent` of the runs did not exceed, in milliseconds (nearest rank).
    public func percentile(_ percent: Double) -> Double {
        let sorted = latencies.sorted()
        let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
        return sorted[max(0, min(sorted.count - 1, rank - 1))]
    }
}

extension Executor {
    /// Noise between -1 and 1 of a shape, the same every time, for a network's only input.
    /// - Throws: `NetworkError` if it has not exactly one.
    public func noise(_ shape: Shape) throws -> [String: Tensor] {
        guard let input = network.inputs.first, network.inputs.count == 1 else {
            throw NetworkError.unsupported(
                node: network.name, reason: "timing a network with \(network.inputs.count) inputs")
        }
        var state: UInt32 = 1
        let noise = (0..<shape.elementCount).map { _ -> Float in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(state >> 8) / Float(1 << 23) - 1
        }
        return [input.name: try Tensor(noise, shape: shape)]
    }
}
