import MartletDecompositions
import MartletEvaluation
import MartletFiles
import MartletInference
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletCompression

@Suite struct BudgetCompressorTests {
    let network: Network
    let statistics: Statistics
    let batches: [(tensor: Tensor, labels: [Int?])]
    let pool = ThreadPool(threadCount: 2)

    init() throws {
        let network = try SmallNetwork.residual()
        let pool = pool
        var generator = SeededGenerator(seed: 7)
        batches = try (0..<4).map { _ in
            var x = generator.floats(16 * 3 * 12 * 12)
            // Neighbours alike, and a mean.
            for i in 1..<x.count { x[i] = 0.9 * x[i - 1] + 0.3 * x[i] }
            let tensor = try Tensor(x.map { $0 + 0.5 }, shape: [16, 3, 12, 12])
            return (tensor, [Int?](repeating: nil, count: 16))
        }
        let gatherer = try StatisticsGatherer(network: network, pool: pool)
        for batch in batches { try gatherer.add(batch.tensor) }
        statistics = try gatherer.statistics(data: "noise", dataDigest: "", preprocessing: "", version: "")
        self.network = network
    }

    func compress(
        _ budget: Budget, threads: Int = 2, change: (inout BudgetCompressor) -> Void = { _ in }
    ) throws -> BudgetCompressor.Result {
        let pool = ThreadPool(threadCount: threads)
        var compressor = BudgetCompressor(budget: budget, pool: pool)
        change(&compressor)
        let comparison = try OutputComparison(original: network, batches: batches, pool: pool)
        return try compressor.compress(network, statistics: statistics, comparison: comparison) { body in
            for batch in batches { try body(batch.tensor) }
        }
    }

    @Test(arguments: ["params=0.8", "params=0.6", "params=0.5", "macs=0.6", "bytes=0.7", "params=1500"])
    func meetsTheBudget(text: String) throws {
        let budget = try Budget(parsing: text)
        let result = try compress(budget)
        let (before, after): (Int, Int)
        switch budget.measure {
        case .multiplyAdds: (before, after) = (result.report.multiplyAddsBefore, result.report.multiplyAddsAfter)
        default: (before, after) = (result.report.parametersBefore, result.report.parametersAfter)
        }
        let scale = budget.measure == .bytes ? 4.0 : 1
        let limit = try #require(budget.limit(original: Double(before) * scale))
        #expect(Double(after) * scale <= limit)
        #expect(Double(after) * scale >= 0.99 * limit)
        // What was planned is what came of it.
        for (layer, planned) in zip(result.report.layers, result.plan.layers) {
            #expect(layer.parametersAfter == planned.cost.parameters, "\(layer.name)")
            #expect(layer.multiplyAddsAfter == planned.cost.multiplyAdds, "\(layer.name)")
            #expect(layer.parametersAfter <= layer.parametersBefore)
        }
    }

    @Test func errorsOfEstimatesBoundThoseOfFits() throws {
        let result = try compress(.part(.parameters, 0.6))
        let options = try BudgetCompressor(budget: .part(.parameters, 0.6), pool: pool)
            .prepare(network, statistics: statistics)
        for (layer, options) in zip(result.plan.layers, options) {
            guard let choice = layer.choice else { continue }
            let estimate = try #require(
                options.candidates.first { $0.method == choice.method && $0.ranks == choice.ranks })
            // The ridge of these few patches is in the estimate alone.
            #expect(choice.error <= estimate.error * 1.05 + 1e-6, "\(layer.name)")
        }
    }

    @Test func saysWhatIsReachable() throws {
        #expect {
            try compress(.part(.parameters, 0.001))
        } throws: {
            guard case .budgetOutOfReach(_, let least, _)? = $0 as? CompressionError else { return false }
            return Double(least.prefix { $0 != " " }) ?? 0 > 0.001
        }
        #expect {
            try compress(.amount(.parameters, 1e9))
        } throws: { ($0 as? CompressionError).map { if case .budgetOutOfReach = $0 { true } else { false } } ?? false }
    }

    @Test func doesNotDependOnThreads() throws {
        let results = try [1, 3].map { try compress(.part(.parameters, 0.5), threads: $0) }
        #expect(results[0].network == results[1].network)
    }

    /// With the mean taken off and the bias corrected, the mean of each output stays where it was.
    @Test func correctsTheBias() throws {
        let result = try compress(.part(.parameters, 0.5)) { $0.weights = .equal }
        let layer = try #require(network.weightedLayers().first)
        let replaced = try #require(result.plan.layers.first { $0.choice != nil && $0.name != layer.name })
        var alone = result.plan
        for index in alone.layers.indices where alone.layers[index].name != replaced.name {
            alone.layers[index].choice = nil
        }
        var compressor = Compressor(rules: LayerRules(methods: [:]), ranks: .explicit([:]), pool: pool)
        compressor.centres = true
        let (after, _) = try alone.compressor(from: compressor).compress(network, statistics: statistics)
        func means(_ network: Network) throws -> [Double] {
            var open = network
            let output = "\(replaced.name).output"
            open.outputs = [
                Network.Value(name: output, type: TensorType(.float32, [.unknown, .unknown, .unknown, .unknown]))
            ]
            let executor = try Executor(network: open, pool: pool)
            var sums: [Double] = []
            for batch in batches {
                let tensor = try #require(try executor.run([open.inputs[0].name: batch.tensor])[output])
                let (channels, pixels) = (tensor.shape[1], tensor.shape[2] * tensor.shape[3])
                if sums.isEmpty { sums = [Double](repeating: 0, count: channels) }
                let values = try tensor.elements(Float.self)
                for index in values.indices {
                    sums[index / pixels % channels] += Double(values[index]) / Double(pixels * 64)
                }
            }
            return sums
        }
        for (a, b) in zip(try means(network), try means(after)) { #expect(abs(a - b) < 1e-4 * max(1, abs(a))) }
    }

    @Test func centringNeverRaisesTheError() throws {
        // CP loses so little here that there is nothing to make good.
        let plan = try compress(.part(.parameters, 0.6)) {
            $0.weights = .equal
            $0.search.methods = CandidateSearch.quickMethods
        }.plan
        var compressor = Compressor(rules: LayerRules(methods: [:]), ranks: .explicit([:]), pool: pool)
        let comparison = try OutputComparison(original: network, batches: batches, pool: pool)
        let plain = try plan.compressor(from: compressor).compress(network, statistics: statistics).network
        compressor.centres = true
        let centred = try plan.compressor(from: compressor).compress(network, statistics: statistics).network
        #expect(try comparison.change(of: centred).scoreError < comparison.change(of: plain).scoreError)
    }

    @Test func sequenceServesTheWhole() throws {
        let plain = try compress(.part(.parameters, 0.5)) {
            $0.weights = .equal
            $0.search.methods = CandidateSearch.quickMethods
        }
        let sequence = try compress(.part(.parameters, 0.5)) {
            $0.weights = .equal
            $0.search.methods = CandidateSearch.quickMethods
            $0.isSequential = true
        }
        #expect(plain.report.parametersAfter == sequence.report.parametersAfter)
        let comparison = try OutputComparison(original: network, batches: batches, pool: pool)
        let errors = try [plain, sequence].map { try comparison.change(of: $0.network).scoreError }
        #expect(errors[1] < errors[0])
        #expect(!sequence.shrinkages.isEmpty)
    }

    @Test func dropIsKept() throws {
        let result = try compress(.drop(0.2)) { $0.weights = .equal }
        let comparison = try OutputComparison(original: network, batches: batches, pool: pool)
        #expect(try comparison.change(of: result.network).agreement >= 0.8)
        #expect(result.report.parametersAfter < result.report.parametersBefore)
    }

    @Test func givenWeightsDecide() throws {
        let name = "down"
        let equal = try compress(.part(.parameters, 0.5)) { $0.weights = .equal }
        let heavy = try compress(.part(.parameters, 0.5)) { $0.weights = .given([name: 1000]) }
        func error(_ result: BudgetCompressor.Result) -> Double {
            result.plan.layers.first { $0.name == name }?.choice?.error ?? 0
        }
        #expect(error(heavy) < error(equal))
    }

    @Test func timesAreKeptAndTheGateHolds() throws {
        let folder = try TemporaryFolder()
        let cache = folder.file("times.json")
        let result = try compress(.part(.parameters, 0.9)) {
            $0.weights = .equal
            $0.timing = .init(shape: [1, 3, 12, 12])
            $0.timing?.seconds = 0.001
            $0.timing?.cache = cache
            $0.timing?.gate = .automatic
        }
        #expect(result.report.millisecondsBefore ?? 0 > 0)
        let machine = try LatencyModel.machine(network, shape: [1, 3, 12, 12], threads: 2)
        let model = try #require(LatencyModel.cached(at: cache, for: machine))
        #expect(LatencyModel.cached(at: cache, for: "another") == nil)
        for layer in model.layers.values {
            for points in layer.points.values {
                // A larger chain is no faster.
                #expect(zip(points, points.dropFirst()).allSatisfy { $0[0] < $1[0] && $0[1] <= $1[1] })
            }
        }
        try OutputFile.write(
            "{\"machine\": \"\(machine)\", \"layers\": {\"a\": {\"original\": 1, \"points\": {\"b\": [[1]]}}}, \"total\": 1}",
            to: cache)
        #expect(LatencyModel.cached(at: cache, for: machine) == nil)
        let options = LayerOptions(
            name: "a", kept: nil, original: LayerCost(parameters: 10, multiplyAdds: 10, milliseconds: 1),
            candidates: [
                LayerCandidate(
                    method: .svdSigma, ranks: [1], error: 0.1,
                    cost: LayerCost(parameters: 5, multiplyAdds: 5, milliseconds: 1.1)),
                LayerCandidate(
                    method: .svdSigma, ranks: [2], error: 0.1,
                    cost: LayerCost(parameters: 5, multiplyAdds: 5, milliseconds: 0.9)),
            ])
        #expect(options.gated().candidates.map(\.ranks) == [[2]])
    }
}
