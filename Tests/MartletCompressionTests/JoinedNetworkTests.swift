import MartletEvaluation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletCompression

@Suite struct JoinedNetworkTests {
    let pool = ThreadPool(threadCount: 2)
    let network: Network

    /// A convolution, three 1x1 ones of which one has no bias, another with a stride, one after a pooling, and their sums.
    init() throws {
        var maker = NetworkMaker(seed: 3)
        func convolution(_ outputs: Int, _ inputs: Int, kernel: Int = 1, stride: Int = 1) -> Operator {
            .convolution(
                Convolution(
                    window: Window(
                        kernel: [kernel, kernel], strides: [stride, stride],
                        padding: .explicit(before: [kernel / 2, kernel / 2], after: [kernel / 2, kernel / 2])),
                    groups: 1))
        }
        let channels = maker.channels
        let trunk = maker.add(
            .activation(.relu),
            [
                maker.add(
                    convolution(24, channels, kernel: 3),
                    ["input", try maker.floats([24, channels, 3, 3]), try maker.floats([24])])
            ])
        // Most of what the three look for are the same ten things.
        let basis = maker.generator.floats(10 * 24)
        func alike(_ outputs: Int) throws -> String {
            var values = maker.generator.floats(outputs * 24).map { 0.05 * $0 }
            let mixing = maker.generator.floats(outputs * 10)
            for output in 0..<outputs {
                for part in 0..<10 {
                    for input in 0..<24 {
                        values[output * 24 + input] += mixing[output * 10 + part] * basis[part * 24 + input]
                    }
                }
            }
            return maker.constant(try Tensor(values, shape: [outputs, 24, 1, 1]))
        }
        let a = maker.add(convolution(16, 24), [trunk, try alike(16), try maker.floats([16])])
        let b = maker.add(convolution(12, 24), [trunk, try alike(12)])
        let c = maker.add(
            .activation(.relu), [maker.add(convolution(20, 24), [trunk, try alike(20), try maker.floats([20])])])
        let other = maker.add(
            convolution(16, 24, stride: 2), [trunk, try maker.floats([16, 24, 1, 1]), try maker.floats([16])])
        let all = maker.add(.concat(axis: 1), [a, b, c])
        let pooled = [all, other].map { maker.add(.globalAveragePool, [$0]) }
        maker.current = maker.add(.concat(axis: 1), pooled)
        (maker.channels, maker.height, maker.width) = (64, 1, 1)
        network = try maker.finished().simplified()
    }

    private func outputs(_ network: Network, _ input: Tensor) throws -> [Float] {
        let result = try Executor(network: network, pool: pool).run([network.inputs[0].name: input])
        return try #require(result[network.outputs[0].name]).elements(Float.self)
    }

    @Test func computesTheSameJoinedAndSplit() throws {
        var maker = NetworkMaker(seed: 3)
        let images = try maker.images(batch: 3)
        let joined = try JoinedNetwork(network) { _ in true }
        let family = try #require(joined.families.values.first)
        #expect(joined.families.count == 1 && family.members.count == 3 && family.members[0] == family.name)
        #expect(joined.network.weightedLayers().count == network.weightedLayers().count - 2)
        let wanted = try outputs(network, images)
        #expect(relativeDifference(try outputs(joined.network.validated(), images), wanted.map { Double($0) }) < 1e-5)
        let split = try joined.split(joined.network).validated()
        #expect(relativeDifference(try outputs(split, images), wanted.map { Double($0) }) < 1e-5)
        #expect(split.weightedLayers().map(\.name).sorted() == network.weightedLayers().map(\.name).sorted())
        #expect(!split.nodes.contains { $0.operation == .slice })
        // What is not wanted stays.
        let members = Set(family.members.dropFirst())
        let less = try JoinedNetwork(network) { !members.contains($0.name) }
        #expect(less.families.isEmpty && less.network == network)
    }

    @Test func siblingsShareAFactor() throws {
        var maker = NetworkMaker(seed: 3)
        let images = try maker.images(batch: 64)
        let gatherer = try StatisticsGatherer(network: network, pool: pool)
        try gatherer.add(images)
        let statistics = try gatherer.statistics(data: "noise", dataDigest: "", preprocessing: "", version: "")
        let comparison = try OutputComparison(
            original: network, batches: [(images, [Int?](repeating: nil, count: 64))], pool: pool)
        func compressed(_ joins: Bool) throws -> (BudgetCompressor.Result, OutputChange) {
            var compressor = BudgetCompressor(budget: .part(.parameters, 0.85), pool: pool)
            compressor.joinsSiblings = joins
            compressor.search.methods = [.pointwise: [.svdSigma]]
            let result = try compressor.compress(network, statistics: statistics, comparison: comparison)
            return (result, try comparison.change(of: result.network))
        }
        let (result, change) = try compressed(true)
        let entry = try #require(result.report.layers.first { $0.joined != nil })
        #expect(entry.joined?.count == 3 && entry.kept == nil)
        let names = result.network.weightedLayers().map(\.name)
        #expect(names.filter { $0.hasSuffix(".right_factor") && $0.hasPrefix(entry.name) }.count == 1)
        for member in entry.joined ?? [] { #expect(names.contains("\(member).left_factor")) }
        #expect(try Costs(result.network).total.parameters == result.report.parametersAfter)
        let (apart, otherChange) = try compressed(false)
        #expect(apart.report.layers.allSatisfy { $0.joined == nil })
        #expect(change.scoreError < otherChange.scoreError)
    }
}
