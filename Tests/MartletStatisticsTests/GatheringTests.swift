import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct GatheringTests {
    /// Networks of one layer, with the patch of every output position by brute force.
    struct Case: Sendable, CustomTestStringConvertible {
        var input: [Int]
        var outputs: Int
        var kernel: [Int]
        var stride = 1
        var padding = 0
        var dilation = 1
        var groups = 1
        var testDescription: String { "\(self)" }

        /// `[patch][group][D]` in double.
        func patches(_ x: [Float]) -> [[[Double]]] {
            let (images, channels) = (input[0], input[1])
            let spatial = Array(input[2...])
            let outputs = spatial.indices.map {
                (spatial[$0] + 2 * padding - dilation * (kernel[$0] - 1) - 1) / stride + 1
            }
            func positions(_ extents: [Int]) -> [[Int]] {
                extents.reduce([[]]) { partial, extent in partial.flatMap { p in (0..<extent).map { p + [$0] } } }
            }
            var result: [[[Double]]] = []
            for image in 0..<images {
                for position in positions(outputs) {
                    result.append(
                        (0..<groups).map { group in
                            (0..<channels / groups).flatMap { channel in
                                positions(kernel).map { tap -> Double in
                                    var offset = image * channels + group * (channels / groups) + channel
                                    for axis in spatial.indices {
                                        let at = position[axis] * stride + tap[axis] * dilation - padding
                                        if at < 0 || at >= spatial[axis] { return 0 }
                                        offset = offset * spatial[axis] + at
                                    }
                                    return Double(x[offset])
                                }
                            }
                        })
                }
            }
            return result
        }
    }

    static let cases = [
        Case(input: [3, 4, 7, 6], outputs: 5, kernel: [3, 3], padding: 1),
        Case(input: [2, 3, 9, 8], outputs: 2, kernel: [5, 3], stride: 2, padding: 2),
        Case(input: [2, 2, 9, 9], outputs: 2, kernel: [3, 3], padding: 2, dilation: 2),
        Case(input: [2, 6, 5, 5], outputs: 4, kernel: [3, 3], stride: 2, padding: 1, groups: 2),
        Case(input: [2, 4, 6, 6], outputs: 4, kernel: [3, 3], padding: 1, groups: 4),
        Case(input: [2, 5, 6, 6], outputs: 4, kernel: [1, 1], stride: 2),
        Case(input: [2, 3, 11], outputs: 4, kernel: [4], stride: 3, padding: 1),
        // More columns than are multiplied at once, and more rows than a block has.
        Case(input: [1, 1, 60, 60], outputs: 2, kernel: [2, 2]),
        Case(input: [2, 33, 4, 4], outputs: 2, kernel: [3, 3], padding: 1),
        // Windows of one axis, wider than the map, wider borders than half the kernel, and no border.
        Case(input: [3, 20, 8, 9], outputs: 2, kernel: [1, 3], padding: 1),
        Case(input: [2, 18, 9, 8], outputs: 2, kernel: [3, 1]),
        Case(input: [3, 5, 11, 13], outputs: 2, kernel: [5, 5], padding: 2),
        Case(input: [3, 5, 3, 2], outputs: 2, kernel: [5, 5], padding: 2),
        Case(input: [2, 3, 6, 7], outputs: 2, kernel: [3, 3], padding: 3),
        Case(input: [2, 17, 10, 7], outputs: 2, kernel: [3, 3]),
        Case(input: [2, 3, 21, 18], outputs: 2, kernel: [7, 7], stride: 2, padding: 3),
        Case(input: [1, 3, 27, 30], outputs: 2, kernel: [11, 11], stride: 4, padding: 2),
        Case(input: [2, 20, 9, 10], outputs: 2, kernel: [3, 3], stride: 2, padding: 1),
        Case(input: [2, 4, 13, 12], outputs: 2, kernel: [3, 3], stride: 2, padding: 3, dilation: 3),
        Case(input: [2, 4, 13, 12], outputs: 2, kernel: [3, 2], stride: 3, padding: 1, dilation: 2),
        Case(input: [2, 40, 6, 5], outputs: 40, kernel: [3, 3], padding: 1, groups: 2),
        Case(input: [2, 3, 4, 5, 6], outputs: 2, kernel: [3, 2, 3], padding: 1),
        Case(input: [2, 2, 5, 6, 6], outputs: 2, kernel: [2, 3, 3], stride: 2, padding: 1),
        Case(input: [3, 18, 1, 1], outputs: 2, kernel: [3, 3], padding: 1),
        // So many channels that tiles of several rows are worked on together.
        Case(input: [2, 140, 4, 5], outputs: 2, kernel: [1, 1]),
        Case(input: [3, 132, 5, 4], outputs: 2, kernel: [3, 1]),
        // So many that all spectra are made before any are multiplied.
        Case(input: [3, 240, 2, 4], outputs: 2, kernel: [1, 3]),
        // Whole blocks of channels, which are taken as they lie.
        Case(input: [3, 32, 7, 6], outputs: 2, kernel: [3, 3], padding: 1),
        Case(input: [2, 48, 5, 4], outputs: 2, kernel: [1, 1]),
        Case(input: [3, 32, 12, 11], outputs: 2, kernel: [1, 1]),
        Case(input: [2, 32, 8, 7], outputs: 2, kernel: [1, 1], stride: 2),
        Case(input: [2, 16, 9, 10], outputs: 2, kernel: [3, 3], stride: 2, padding: 1),
        Case(input: [2, 16, 11, 9], outputs: 2, kernel: [5, 5], padding: 1),
        Case(input: [2, 16, 13, 12], outputs: 2, kernel: [3, 2], stride: 3, padding: 1, dilation: 2),
        Case(input: [2, 32, 6, 5], outputs: 32, kernel: [3, 3], padding: 1, groups: 2),
    ]

    @Test(arguments: cases, MomentForm.allCases) func equalsBruteForce(layer: Case, form: MomentForm) throws {
        var builder = NetworkBuilder(seed: 7)
        let output = try builder.convolution(
            "layer", "input", outputs: layer.outputs, inputs: layer.input[1], kernel: layer.kernel,
            stride: layer.stride, padding: layer.padding, dilation: layer.dilation, groups: layer.groups)
        let network = builder.network(
            input: TensorType(.float32, layer.input.map { .fixed($0) }), output: output,
            type: TensorType(.float32, [Extent](repeating: .unknown, count: layer.input.count)))
        var generator = SeededGenerator(seed: 3)
        let x = generator.floats(layer.input.reduce(1, *)).map { $0 + 0.3 }
        let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 2), form: form)
        try gatherer.add(try Tensor(x, shape: try Shape(layer.input)))
        let statistics = try gatherer.statistics(data: "", dataDigest: "", preprocessing: "", version: "")
        let moments = try statistics.moments(of: network.weightedLayers()[0])
        let patches = layer.patches(x)
        #expect(moments.count == patches.count)
        for group in 0..<layer.groups {
            let size = moments.patchSize
            let sigma = try moments.secondMoment(group: group)
            var (difference, total) = (0.0, 0.0)
            for i in 0..<size {
                for j in 0..<size {
                    let expected = patches.reduce(0.0) { $0 + $1[group][i] * $1[group][j] } / Double(patches.count)
                    difference += (sigma[i, j] - expected) * (sigma[i, j] - expected)
                    total += expected * expected
                    #expect(sigma[i, j] == sigma[j, i])
                }
                let mean = patches.reduce(0.0) { $0 + $1[group][i] } / Double(patches.count)
                #expect(abs(moments.mean(group: group)[i] - mean) < 1e-5)
            }
            #expect((difference / total).squareRoot() < 1e-6)
        }
    }

    @Test func fullyConnectedLayersToo() throws {
        for isTransposed in [false, true] {
            var builder = NetworkBuilder(seed: 5)
            let weight = try builder.constant("weight", isTransposed ? [3, 300] : [300, 3])
            let output = builder.node("layer", .gemm(Gemm(transposesB: isTransposed)), ["input", weight])
            let network = builder.network(
                input: TensorType(.float32, [.symbol("N"), .fixed(300)]), output: output,
                type: TensorType(.float32, [.symbol("N"), .fixed(3)]))
            var generator = SeededGenerator(seed: 4)
            let x = generator.floats(5 * 300)
            let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 1))
            try gatherer.add(try Tensor(x, shape: [5, 300]))
            let moments = try gatherer.statistics(data: "", dataDigest: "", preprocessing: "", version: "")
                .moments(of: network.weightedLayers()[0])
            #expect(moments.count == 5)
            let sigma = try moments.secondMoment()
            for (i, j) in [(0, 0), (7, 290), (299, 299), (260, 3)] {
                let expected = (0..<5).reduce(0.0) { $0 + Double(x[$1 * 300 + i]) * Double(x[$1 * 300 + j]) } / 5
                #expect(abs(sigma[i, j] - expected) < 1e-6)
            }
        }
    }

    @Test func theNumberOfThreadsDoesNotMatter() throws {
        let network = try SmallNetwork.residual()
        var generator = SeededGenerator(seed: 9)
        let batches = try (0..<2).map { _ in try Tensor(generator.floats(16 * 3 * 144), shape: [16, 3, 12, 12]) }
        let results = try [1, 2, 5].map { threads in
            let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: threads))
            for batch in batches { try gatherer.add(batch) }
            let statistics = try gatherer.statistics(data: "", dataDigest: "", preprocessing: "", version: "")
            return try network.weightedLayers().map { try statistics.moments(of: $0).secondMoment() }
        }
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    /// How far Sigma still moves is the distance of the moments of every other batch, however many and large they are.
    @Test func changesAreTheDistanceOfTwoHalves() throws {
        let network = try SmallNetwork.residual()
        var generator = SeededGenerator(seed: 11)
        let batches = try [16, 16, 5].map { count in
            try Tensor(generator.floats(count * 3 * 144), shape: [count, 3, 12, 12])
        }
        // Pointwise: the borders, which are left out of it, do not come in.
        let layer = try #require(network.weightedLayers().first { $0.name == "point" })
        func gatherer(_ batches: [Tensor]) throws -> StatisticsGatherer {
            let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 2))
            for batch in batches { try gatherer.add(batch) }
            return gatherer
        }
        func moment(_ batches: [Tensor]) throws -> [Double] {
            try gatherer(batches).statistics(data: "", dataDigest: "", preprocessing: "", version: "")
                .moments(of: layer).secondMoment().elements
        }
        func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let (first, second) = (try moment([batches[0], batches[2]]), try moment([batches[1]]))
        let expected = norm(zip(first, second).map { $0 - $1 }) / norm(try moment(batches))
        let found = try #require(try gatherer(batches).changes?[layer.name])
        #expect(expected > 1e-3)
        #expect(abs(found - expected) < 1e-3 * expected)
        #expect(try gatherer([batches[0]]).changes == nil)
    }

    /// A window as large as the map has one output: planning thousands of lags and border sums would be all the work.
    @Test func manyTapsForFewOutputsAreUnfolded() throws {
        var builder = NetworkBuilder(seed: 3)
        let output = try builder.convolution("layer", "input", outputs: 2, inputs: 2, kernel: [14, 14])
        let network = builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(2), .fixed(15), .fixed(14)]), output: output,
            type: TensorType(.float32, [.symbol("N"), .fixed(2), .fixed(2), .fixed(1)]))
        let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 1))
        var generator = SeededGenerator(seed: 4)
        try gatherer.add(try Tensor(generator.floats(2 * 15 * 14), shape: [1, 2, 15, 14]))
        #expect(gatherer.costs.map(\.form) == [.unfolded])
    }

    /// Depthwise layers that run as one elsewhere are seen one by one.
    @Test func bothLayersOfASeparableFilter() throws {
        var builder = NetworkBuilder(seed: 5)
        func layer(_ name: String, _ x: String, _ window: Window) throws -> String {
            let weight = try builder.constant("\(name).weight", [3, 1] + window.kernel)
            return builder.node(name, .convolution(Convolution(window: window, groups: 3)), [x, weight])
        }
        let middle = try layer("rows", "input", Window(kernel: [3, 1]))
        let output = try layer("columns", middle, Window(kernel: [1, 3]))
        let network = builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(8), .fixed(9)]), output: output,
            type: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(6), .fixed(7)]))
        let pool = ThreadPool(threadCount: 1)
        let gatherer = try StatisticsGatherer(network: network, pool: pool)
        var generator = SeededGenerator(seed: 6)
        let images = try Tensor(generator.floats(2 * 3 * 72), shape: [2, 3, 8, 9])
        try gatherer.add(images)
        let statistics = try gatherer.statistics(data: "", dataDigest: "", preprocessing: "", version: "")
        var options = Executor.Options()
        options.joinsFilters = false
        let executor = try Executor(network: network.puttingOut([middle]), pool: pool, options: options)
        let values = try #require(try executor.run(["input": images])[middle]).elements(Float.self)
        let second = try #require(network.weightedLayers().last)
        #expect(second.name == "columns")
        // Of the first group, the mean square of the tap in the middle.
        let moment = try statistics.moments(of: second).secondMoment()
        var sum = 0.0
        for image in 0..<2 {
            for y in 0..<6 {
                for x in 1..<8 {
                    let value = Double(values[(image * 3 * 6 + y) * 9 + x])
                    sum += value * value / (2 * 6 * 7)
                }
            }
        }
        #expect(abs(moment[1, 1] - sum) < 1e-5 * sum)
    }

    @Test func refusesWhatIsNoNumber() throws {
        let network = try SmallNetwork.residual()
        let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 1))
        var x = [Float](repeating: 1, count: 3 * 144)
        x[200] = .nan
        #expect(throws: StatisticsError.nonFinite(layer: "stem")) {
            try gatherer.add(try Tensor(x, shape: [1, 3, 12, 12]))
        }
        let fresh = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 1))
        #expect(throws: StatisticsError.empty) {
            try fresh.statistics(data: "", dataDigest: "", preprocessing: "", version: "")
        }
    }
}
