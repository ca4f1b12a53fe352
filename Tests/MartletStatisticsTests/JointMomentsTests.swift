import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct JointMomentsTests {
    /// A grouped convolution behind another layer, in two networks that differ in the first one's weights.
    private func network(seed: UInt64, groups: Int) throws -> Network {
        var builder = NetworkBuilder(seed: seed)
        let first = try builder.convolution("first", "input", outputs: 6, inputs: 3, kernel: [3, 3], padding: 1)
        let output = try builder.convolution(
            "second", first, outputs: 4, inputs: 6, kernel: [3, 3], stride: 2, padding: 1, groups: groups)
        return builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(8), .fixed(7)]), output: output,
            type: TensorType(.float32, [.symbol("N"), .fixed(4), .unknown, .unknown]))
    }

    /// What the second layer sees, patch by patch, `[patch][group][D]`, and what it puts out.
    private func patches(_ network: Network, _ batch: Tensor, groups: Int) throws -> [[[Double]]] {
        var result: [[[Double]]] = []
        let executor = try Executor(network: network, pool: ThreadPool(threadCount: 1))
        let observer = Observer(layers: ["second"]) { _, input in
            let x = input.elements(of: Float.self)
            let (h, w) = (input.shape[2], input.shape[3])
            for n in 0..<input.shape[0] {
                for y in 0..<(h + 1) / 2 {
                    for z in 0..<(w + 1) / 2 {
                        result.append(
                            (0..<groups).map { group in
                                (0..<6 / groups).flatMap { c in
                                    (0..<9).map { tap -> Double in
                                        let (i, j) = (2 * y + tap / 3 - 1, 2 * z + tap % 3 - 1)
                                        guard (0..<h).contains(i), (0..<w).contains(j) else { return 0 }
                                        let channel = n * 6 + group * 6 / groups + c
                                        return Double(x[(channel * h + i) * w + j])
                                    }
                                }
                            })
                    }
                }
            }
        }
        _ = try executor.run(["input": batch], observing: observer)
        return result
    }

    @Test(arguments: [1, 2]) func equalBruteForce(groups: Int) throws {
        let (a, b) = (try network(seed: 1, groups: groups), try network(seed: 2, groups: groups))
        var generator = SeededGenerator(seed: 5)
        let batch = try Tensor(generator.floats(3 * 3 * 56), shape: [3, 3, 8, 7])
        let gatherer = try JointGatherer(first: a, second: b, pool: ThreadPool(threadCount: 2))
        #expect(gatherer.layerNames == ["first", "second"])
        try gatherer.add(batch)
        let moments = try gatherer.moments(of: "second")
        let (u, v) = (try patches(a, batch, groups: groups), try patches(b, batch, groups: groups))
        #expect(moments.count == u.count)
        let size = moments.patchSize
        for group in 0..<groups {
            let (first, second) = (try moments.first(group: group), try moments.second(group: group))
            let cross = try moments.cross(group: group)
            for i in 0..<size {
                for j in 0..<size {
                    func mean(_ x: [[[Double]]], _ y: [[[Double]]]) -> Double {
                        zip(x, y).reduce(0.0) { $0 + $1.0[group][i] * $1.1[group][j] } / Double(x.count)
                    }
                    #expect(abs(first[i, j] - mean(u, u)) < 1e-5)
                    #expect(abs(second[i, j] - mean(v, v)) < 1e-5)
                    #expect(abs(cross[i, j] - mean(v, u)) < 1e-5)
                }
            }
        }
    }

    @Test(arguments: [1, 2]) func outputMomentsFollowFromInputMoments(groups: Int) throws {
        let network = try network(seed: 3, groups: groups)
        var generator = SeededGenerator(seed: 6)
        let batch = try Tensor(generator.floats(3 * 3 * 56), shape: [3, 3, 8, 7])
        let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 1))
        try gatherer.add(batch)
        let layer = try #require(network.weightedLayers().first { $0.name == "second" })
        let moments = try gatherer.statistics(data: "", dataDigest: "", preprocessing: "", version: "").moments(
            of: layer)
        let executor = try Executor(network: network, pool: ThreadPool(threadCount: 1))
        let outputs = try executor.run(["input": batch])
        let y = try #require(outputs.values.first)
        let pixels = y.shape[2] * y.shape[3]
        let perGroup = 4 / groups
        for group in 0..<groups {
            let (mean, second) = try moments.outputMoments(of: layer, in: network, group: group)
            y.withElements(of: Float.self) { y in
                func value(_ channel: Int, _ patch: Int) -> Double {
                    let index = (patch / pixels * 4 + group * perGroup + channel) * pixels + patch % pixels
                    return Double(y[index])
                }
                let count = 3 * pixels
                for i in 0..<perGroup {
                    let expected = (0..<count).reduce(0.0) { $0 + value(i, $1) } / Double(count)
                    #expect(abs(mean[i] - expected) < 1e-5)
                    for j in 0..<perGroup {
                        let expected = (0..<count).reduce(0.0) { $0 + value(i, $1) * value(j, $1) } / Double(count)
                        #expect(abs(second[i, j] - expected) < 1e-5 * max(1, abs(expected)))
                    }
                }
            }
        }
    }
}
