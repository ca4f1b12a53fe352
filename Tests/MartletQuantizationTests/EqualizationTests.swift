import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct EqualizationTests {
    private func statistics(_ network: Network, _ equalization: Equalization) throws -> [String: ChannelStatistics] {
        var channels: [String: Int] = [:]
        for pair in equalization.pairs { channels[pair.value] = pair.second.inputs }
        return try Calibration(
            network, histograms: [], channels: channels, pool: pools[1],
            batches: source(try batches(2, extents: [3, 10, 10])), progress: { _ in }
        ).channels
    }

    @Test func pairsLieInChainsAlone() throws {
        let equalization = Equalization(try branchingNetwork())
        // Not the stem, which two read, nor across the sum.
        #expect(
            equalization.pairs.map { [$0.first.name, $0.second.name] } == [
                ["tucker.1", "tucker.2"], ["tucker.2", "tucker.3"], ["cp.1", "cp.2"], ["cp.2", "cp.3"],
                ["cp.3", "cp.4"],
            ])
    }

    /// A chain whose channels differ a thousandfold is evened out, and the network computes what it did.
    @Test func theNetworkComputesTheSame() throws {
        var network = try branchingNetwork()
        var weight = try #require(network.constants["cp.1.weight"])
        try weight.withMutableElements(of: Float.self) { for i in 0..<8 { $0[i] *= 1000 } }
        network.constants["cp.1.weight"] = weight
        var next = try #require(network.constants["cp.2.weight"])
        try next.withMutableElements(of: Float.self) { for i in 0..<3 { $0[i] /= 1000 } }
        network.constants["cp.2.weight"] = next
        let equalization = Equalization(network)
        var equal = network
        try equalization.apply(to: &equal, statistics: try statistics(network, equalization))
        let batch = try batches(1, extents: [3, 10, 10], seed: 9)[0]
        #expect(try relativeError(equal, of: network, on: batch) < 1e-10)
        let ranges = try #require(statistics(equal, equalization)["cp.1.output"])
        let peaks = zip(ranges.minimum, ranges.maximum).map { max(-$0, $1) }
        #expect((peaks.max() ?? 0) / (peaks.min() ?? 1) < 10)
        func error(_ equalizes: Bool) throws -> Double {
            var quantizer = StaticQuantizer(pool: pools[1])
            quantizer.options.equalizes = equalizes
            let quantized = try quantizer.quantized(network, batches: source(try batches(2, extents: [3, 10, 10])))
            return try relativeError(quantized.network, of: network, on: batch)
        }
        #expect(try error(true) < 0.5 * error(false))
    }
}
