import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Goes over the calibration images: calls `body` with each prepared batch `[n, C, H, W]`, in order. Called several times, and
/// always to the same end.
public typealias CalibrationBatches = (_ body: (Tensor) throws -> Void) throws -> Void

/// A network that shows values on the way.
struct TappedNetwork {
    private let executor: Executor
    private let input: String

    /// The network with these values among its outputs.
    init(_ network: Network, values: [String], pool: ThreadPool) throws {
        guard network.inputs.count == 1, let input = network.inputs.first else {
            throw QuantizationError.inputs(count: network.inputs.count)
        }
        self.input = input.name
        executor = try Executor(network: network.puttingOut(values), pool: pool)
    }

    /// The values of a batch by name, the input's among them.
    func run(_ batch: Tensor) throws -> [String: Tensor] {
        var values = try executor.run([input: batch])
        values[input] = batch
        return values
    }
}

/// What goes through the values of a network on the calibration images.
struct Calibration {
    private(set) var histograms: [String: Histogram] = [:]
    private(set) var channels: [String: ChannelStatistics] = [:]
    private(set) var images = 0

    /// - Parameters:
    ///   - histograms: values whose numbers are counted.
    ///   - channels: values whose channels are looked at one by one, with how many there are.
    init(
        _ network: Network, histograms: [String], channels: [String: Int], pool: ThreadPool,
        batches: CalibrationBatches, progress: @escaping (_ images: Int) throws -> Void
    ) throws {
        let names = histograms + channels.keys.sorted()
        let tapped = try TappedNetwork(network, values: names, pool: pool)
        // Each value is one thread's: what is summed does not depend on how many there are.
        let collectors =
            histograms.map { Collector(value: $0, channels: nil) }
            + channels.sorted { $0.key < $1.key }.map { Collector(value: $0.key, channels: $0.value) }
        var seen = 0
        try batches { batch in
            let values = try tapped.run(batch)
            pool.forEach(collectors.count) { index in
                if let tensor = values[collectors[index].value] { collectors[index].add(tensor) }
            }
            seen += batch.shape.extents.first ?? 0
            try progress(seen)
        }
        if seen == 0 { throw QuantizationError.noImages }
        images = seen
        for collector in collectors {
            if let statistics = collector.statistics {
                self.channels[collector.value] = statistics
            } else {
                self.histograms[collector.value] = collector.histogram
            }
        }
    }

    /// Collects one value; one thread at a time has it.
    private final class Collector: @unchecked Sendable {
        let value: String
        var histogram = Histogram()
        var statistics: ChannelStatistics?

        init(value: String, channels: Int?) {
            self.value = value
            statistics = channels.map { ChannelStatistics(channels: $0) }
        }

        func add(_ tensor: Tensor) {
            tensor.withView { view in
                if statistics != nil { statistics?.add(view) } else { histogram.add(view.elements(of: Float.self)) }
            }
        }
    }
}
