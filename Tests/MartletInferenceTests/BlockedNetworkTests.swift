import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

/// Networks on blocks of channels against the same networks through BLAS, for every instruction set the machine has.
@Suite struct BlockedNetworkTests {
    /// Branches with every kind of layer that runs on blocks, joined and added, with odd sizes and channels that do and do
    /// not fill blocks.
    private func network(seed: UInt64, height: Int, width: Int, channels: [Int], batch: Int) throws -> (Network, Tensor)
    {
        var generator = SeededGenerator(seed: seed)
        var builder = NetworkBuilder(seed: seed)
        let (a, b, c) = (channels[0], channels[1], channels[2])
        let stem = builder.relu(
            "stem.relu",
            try builder.convolution("stem", "input", outputs: a, inputs: 3, kernel: [5, 3], stride: 1, padding: 2))
        let same = Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))
        let pool = builder.node("pool", .maxPool(Pooling(window: same)), [stem])
        // A residual block; with 32 channels and more its convolutions are Winograd's.
        let one = builder.relu(
            "one.relu", try builder.convolution("one", pool, outputs: a, inputs: a, kernel: [3, 3], padding: 1))
        let two = try builder.convolution("two", one, outputs: a, inputs: a, kernel: [3, 3], padding: 1)
        let sum = builder.node(
            "sum.act", .activation([.relu, .leakyRelu(slope: 0.1), .hardSwish][generator.integer(0...2)]),
            [builder.node("sum", .arithmetic(.add), [two, pool])])
        // The addend is the convolution's own input: nothing may be overwritten.
        let own = try builder.convolution("own", sum, outputs: a, inputs: a, kernel: [3, 3], padding: 1)
        let again = builder.node("again", .arithmetic(.add), [own, sum])
        // Branches of an inception block.
        let left = builder.relu(
            "left.relu", try builder.convolution("left", again, outputs: b, inputs: a, kernel: [1, 1]))
        let middle = try builder.convolution(
            "middle", again, outputs: c, inputs: a, kernel: [3, 3], padding: 2, dilation: 2)
        let right = builder.node("right", .averagePool(Pooling(window: same), countsPadding: seed % 2 == 0), [again])
        let joined = builder.node("joined", .concat(axis: 1), [left, middle, right])
        let width_ = a + b + c
        let normalized = builder.node(
            "lrn", .localResponseNormalization(.init(alpha: 1e-2, beta: 0.75, bias: 1, size: 5)), [joined])
        let depthwise = try builder.convolution(
            "depthwise", normalized, outputs: width_, inputs: width_, kernel: [3, 3], stride: 2, padding: 1,
            groups: width_)
        let last = builder.node(
            "last.act", .activation(.sigmoid),
            [try builder.convolution("last", depthwise, outputs: c, inputs: width_, kernel: [3, 1], stride: 2)])
        // A branch of the joined value that is read as rows of pixels, too.
        let other = builder.node("transposed", .transpose(permutation: [0, 1, 3, 2]), [left])
        let mean = builder.node("mean", .globalAveragePool, [last])
        let otherMean = builder.node("mean.other", .globalAveragePool, [other])
        let flat = builder.node(
            "flat", .flatten(axis: 1), [builder.node("both", .concat(axis: 1), [mean, otherMean])])
        var network = builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(height), .fixed(width)]), output: flat,
            type: TensorType(.float32, [.symbol("N"), .fixed(b + c)]))
        // Values in the middle are outputs as well: in blocks, and as a part of a joined value.
        for name in [sum, middle] { network.outputs.append(.init(name: name, type: TensorType(.float32, []))) }
        let x = try Tensor(generator.floats(batch * 3 * height * width), shape: try Shape([batch, 3, height, width]))
        return (network, x)
    }

    static let sizes = [(9, 13, [32, 16, 48]), (14, 14, [48, 32, 16]), (8, 7, [20, 16, 9]), (5, 21, [16, 33, 64])]

    @Test(arguments: 0..<sizes.count) func areTheSameAsThroughBLAS(index: Int) throws {
        let (height, width, channels) = Self.sizes[index]
        let (network, x) = try network(
            seed: UInt64(index + 1), height: height, width: width, channels: channels, batch: 2)
        var options = Executor.Options()
        options.usesBlocks = false
        let expected = try Executor(network: network, pool: ThreadPool(threadCount: 1), options: options)
            .run(["input": x])
        options.usesBlocks = true
        for set in InstructionSet.allCases where set.isSupported {
            options.instructionSet = set
            var first: [Bool: [String: Tensor]] = [:]
            for (reuses, fuses, threads) in [(false, false, 1), (true, false, 1), (true, true, 1), (true, true, 3)] {
                options.reusesMemory = reuses
                options.fuses = fuses
                let executor = try Executor(
                    network: network, pool: ThreadPool(threadCount: threads), options: options)
                for _ in 0..<2 {
                    let found = try executor.run(["input": x])
                    for (name, tensor) in expected {
                        let values = try #require(found[name]).elements(Float.self)
                        let difference = relativeDifference(
                            values, try tensor.elements(Float.self).map { Double($0) })
                        #expect(difference < 2e-5, "\(set) \(name) reuse \(reuses) fusion \(fuses)")
                    }
                    // To the bit, whatever is reused or shared among threads.
                    if let first = first[fuses] { #expect(found == first, "\(set) reuse \(reuses) threads \(threads)") }
                    first[fuses] = found
                }
            }
        }
    }

    /// Pictures that a stride deals out among channels, and kernels of every size that Winograd's filtering has.
    @Test(arguments: [(7, 2, 3, 40, 37), (11, 4, 2, 67, 70), (5, 2, 2, 33, 32), (6, 2, 0, 31, 30), (8, 3, 1, 41, 40)])
    func stemsAreTheSameAsThroughBLAS(kernel: Int, stride: Int, padding: Int, height: Int, width: Int) throws {
        var generator = SeededGenerator(seed: UInt64(kernel))
        var builder = NetworkBuilder(seed: UInt64(kernel))
        let stem = builder.relu(
            "stem.relu",
            try builder.convolution(
                "stem", "input", outputs: 40, inputs: 3, kernel: [kernel, kernel], stride: stride, padding: padding))
        let four = try builder.convolution("four", stem, outputs: 32, inputs: 40, kernel: [4, 4], padding: 2)
        let five = try builder.convolution("five", four, outputs: 24, inputs: 32, kernel: [5, 5], padding: 1)
        let network = builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(height), .fixed(width)]), output: five,
            type: TensorType(.float32, []))
        let x = try Tensor(generator.floats(2 * 3 * height * width), [2, 3, height, width])
        var results: [[Float]] = []
        var inputs: [[String: [Float]]] = []
        for usesBlocks in [false, true] {
            for set in usesBlocks ? InstructionSet.allCases.filter(\.isSupported) : [.baseline] {
                var options = Executor.Options()
                options.usesBlocks = usesBlocks
                options.instructionSet = set
                let log = Log()
                let executor = try Executor(network: network, pool: pools[1], options: options)
                let observed = try executor.run(
                    ["input": x], observing: Observer { log.inputs[$0] = Array($1.elements(of: Float.self)) })
                let plain = try executor.run(["input": x])
                #expect(observed == plain)
                results.append(try #require(plain[network.outputs[0].name]).floats)
                inputs.append(log.inputs)
            }
        }
        for (result, seen) in zip(results, inputs).dropFirst() {
            #expect(relativeDifference(result, results[0].map { Double($0) }) < 2e-5)
            #expect(seen.keys.sorted() == ["five", "four", "stem"])
            for (name, values) in inputs[0] {
                #expect(relativeDifference(seen[name] ?? [], values.map { Double($0) }) < 2e-5, "\(name)")
            }
        }
    }

    @Test func eachImageIsComputedAlone() throws {
        let (network, x) = try network(seed: 9, height: 12, width: 12, channels: [32, 16, 16], batch: 3)
        let executor = try Executor(network: network, pool: ThreadPool(threadCount: 2))
        let name = network.outputs[0].name
        let whole = try #require(executor.run(["input": x])[name]).elements(Float.self)
        let pixels = try x.elements(Float.self)
        let count = pixels.count / 3
        for image in 0..<3 {
            let one = try Tensor(Array(pixels[image * count..<(image + 1) * count]), shape: [1, 3, 12, 12])
            let alone = try #require(executor.run(["input": one])[name]).elements(Float.self)
            #expect(alone == Array(whole[image * alone.count..<(image + 1) * alone.count]))
        }
    }

    /// Image by image or layer by layer, with fewer threads than images and more: the same bits.
    @Test func batchesMayBeRunImageByImage() throws {
        let (network, x) = try network(seed: 6, height: 12, width: 9, channels: [32, 16, 16], batch: 5)
        var results: [[String: Tensor]] = []
        for (apart, threads) in [(false, 1), (true, 1), (true, 2), (true, 3), (true, 6)] {
            var options = Executor.Options()
            options.runsImagesApart = apart
            let executor = try Executor(network: network, pool: ThreadPool(threadCount: threads), options: options)
            for _ in 0..<2 { results.append(try executor.run(["input": x])) }
            let memory = try executor.peakBytes(["input": x.shape])
            #expect(memory > 0)
        }
        #expect(results.allSatisfy { $0 == results[0] && $0.count == 3 })
    }

    /// A border is memory: a window that hangs over by a million pixels must not ask for it.
    @Test func widePaddingTakesLittleMemory() throws {
        var builder = NetworkBuilder(seed: 3)
        let wide = 1 << 20
        let y = try builder.convolution(
            "wide", "input", outputs: 4, inputs: 3, kernel: [3, 3], padding: wide, dilation: wide)
        let network = builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(4), .fixed(5)]), output: y,
            type: TensorType(.float32, []))
        let executor = try Executor(network: network, pool: pools[0])
        #expect(try executor.peakBytes(["input": try Shape([1, 3, 4, 5])]) < 1 << 20)
        let x = try Tensor([Float](repeating: 1, count: 60), [1, 3, 4, 5])
        #expect(try executor.run(["input": x]).values.first?.shape == [1, 4, 4, 5])
    }

    @Test func observersSeeRowsOfPixels() throws {
        let (network, x) = try network(seed: 4, height: 10, width: 9, channels: [32, 16, 16], batch: 2)
        var seen: [Bool: [String: [Float]]] = [:]
        for usesBlocks in [false, true] {
            var options = Executor.Options()
            options.usesBlocks = usesBlocks
            let log = Log()
            _ = try Executor(network: network, pool: ThreadPool(threadCount: 1), options: options).run(
                ["input": x], observing: Observer { log.inputs[$0] = Array($1.elements(of: Float.self)) })
            seen[usesBlocks] = log.inputs
        }
        let (plain, blocked) = (seen[false] ?? [:], seen[true] ?? [:])
        #expect(plain.keys.sorted() == blocked.keys.sorted() && plain.count == 8)
        for (name, values) in plain {
            #expect(relativeDifference(blocked[name] ?? [], values.map { Double($0) }) < 2e-5, "\(name)")
        }
    }

    private final class Log { var inputs: [String: [Float]] = [:] }
}
