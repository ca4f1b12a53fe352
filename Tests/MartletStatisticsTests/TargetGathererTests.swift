import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct TargetGathererTests {
    let pool = ThreadPool(threadCount: 2)

    func value(_ name: String, of network: Network, _ batch: Tensor) throws -> [Float] {
        var open = network
        open.outputs = [
            Network.Value(name: name, type: TensorType(.float32, [.unknown, .unknown, .unknown, .unknown]))
        ]
        return try #require(try Executor(network: open, pool: pool).run(["input": batch])[name]).elements(Float.self)
    }

    /// The target of the second layer of a block is its output and what the shortcut has lost.
    @Test(arguments: [true, false]) func equalsBruteForce(mendsSums: Bool) throws {
        let (original, changed) = (try SmallNetwork.residual(seed: 1), try SmallNetwork.residual(seed: 2))
        var generator = SeededGenerator(seed: 5)
        let batch = try Tensor(generator.floats(3 * 3 * 144), shape: [3, 3, 12, 12])
        let gatherer = try TargetGatherer(
            original: original, changed: changed, mendsSums: mendsSums, pool: pool
        ) { $0.name == "block.2" }
        #expect(gatherer.layerNames == ["block.2"])
        try gatherer.add(batch)
        let moments = try gatherer.moments(of: "block.2")

        var target = try value("block.2.output", of: original, batch)
        if mendsSums {
            let (before, after) = (
                try value("stem.relu.output", of: original, batch), try value("stem.relu.output", of: changed, batch)
            )
            for index in target.indices { target[index] += before[index] - after[index] }
        }
        let input = try value("block.1.relu.output", of: changed, batch)
        var cross = [Double](repeating: 0, count: 72 * 8)
        var (means, square) = ([Double](repeating: 0, count: 8), 0.0)
        for image in 0..<3 {
            for y in 0..<12 {
                for x in 0..<12 {
                    for output in 0..<8 {
                        let goal = Double(target[((image * 8 + output) * 12 + y) * 12 + x])
                        means[output] += goal / 432
                        square += goal * goal / 432
                        for channel in 0..<8 {
                            for tap in 0..<9 {
                                let (i, j) = (y + tap / 3 - 1, x + tap % 3 - 1)
                                guard (0..<12).contains(i), (0..<12).contains(j) else { continue }
                                let seen = Double(input[((image * 8 + channel) * 12 + i) * 12 + j])
                                cross[(channel * 9 + tap) * 8 + output] += seen * goal / 432
                            }
                        }
                    }
                }
            }
        }
        #expect(moments.inputs.count == 432)
        for (a, b) in zip(moments.cross.elements, cross) { #expect(abs(a - b) < 1e-4) }
        for (a, b) in zip(moments.targetMean, means) { #expect(abs(a - b) < 1e-5) }
        #expect(abs(moments.targetSquare - square) < 1e-4 * square)
        #expect(throws: StatisticsError.missingLayer(name: "stem")) { try gatherer.moments(of: "stem") }
    }

    @Test func fullyConnectedLayersToo() throws {
        let (original, changed) = (try SmallNetwork.residual(seed: 1), try SmallNetwork.residual(seed: 2))
        var generator = SeededGenerator(seed: 6)
        let batch = try Tensor(generator.floats(4 * 3 * 144), shape: [4, 3, 12, 12])
        let gatherer = try TargetGatherer(original: original, changed: changed, pool: pool) { $0.name == "fc" }
        try gatherer.add(batch)
        let moments = try gatherer.moments(of: "fc")
        let outputs = try #require(
            try Executor(network: original, pool: pool).run(["input": batch])[original.outputs[0].name])
        let values = try outputs.elements(Float.self)
        for output in 0..<4 {
            let mean = (0..<4).reduce(0.0) { $0 + Double(values[$1 * 4 + output]) / 4 }
            #expect(abs(moments.targetMean[output] - mean) < 1e-5)
        }
        #expect(moments.cross.rows == 12 && moments.cross.columns == 4)
    }
}
