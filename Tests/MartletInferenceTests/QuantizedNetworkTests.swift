import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

/// Networks on bytes against the same networks computed node by node, for every instruction set the machine has.
@Suite struct QuantizedNetworkTests {
    /// A residual network with branches whose values are quantised after every layer, in scales of which none is a simple
    /// multiple of another: halves of steps, which floats do not decide, are rare.
    private func network(
        isSigned: Bool, hasSecondRounding: Bool, height: Int, width: Int
    ) throws -> (Network, Tensor) {
        var builder = QuantizedBuilder(seed: isSigned ? 5 : 6, isSigned: isSigned)
        let input = try builder.quantized("input", scale: 0.02, zero: isSigned ? 7 : 121)
        let stem = try builder.convolution(
            "stem", input, outputs: 32, inputs: 3, kernel: [5, 3], stride: 2, padding: 2, relu: true)
        let pool = try builder.same("pool", .maxPool(Pooling(window: QuantizedBuilder.three)), stem)
        let one = try builder.convolution("one", pool, outputs: 32, inputs: 32, kernel: [3, 3], padding: 1, relu: true)
        // The sum rounds its convolution first, or not.
        var two = try builder.convolution(
            "two", one, outputs: 32, inputs: 32, kernel: [3, 3], padding: 1, rounds: hasSecondRounding)
        two = builder.base.node("sum", .arithmetic(.add), [two, pool])
        let sum = try builder.quantized(builder.base.relu("sum.relu", two), scale: 0.03, zero: builder.lowest)
        // Channels that fill no block, and depthwise windows one after the other.
        let few = try builder.convolution("few", sum, outputs: 21, inputs: 32, kernel: [1, 1])
        let tall = try builder.convolution(
            "tall", few, outputs: 21, inputs: 21, kernel: [3, 1], padding: 1, groups: 21)
        let wide = try builder.convolution("wide", tall, outputs: 21, inputs: 21, kernel: [1, 3], groups: 21)
        let back = try builder.convolution("back", wide, outputs: 16, inputs: 21, kernel: [1, 1])
        // Branches of different scales, one of which others read too.
        let left = try builder.convolution("left", sum, outputs: 16, inputs: 32, kernel: [3, 3], relu: true)
        let mean = try builder.quantized(
            builder.base.node(
                "mean", .averagePool(Pooling(window: QuantizedBuilder.three), countsPadding: isSigned), [sum]),
            scale: 0.0253, zero: builder.lowest)
        let right = try builder.convolution(
            "right", mean, outputs: 32, inputs: 32, kernel: [3, 3], stride: 2, padding: 1, dilation: 2)
        let means = try [left, right, back].enumerated().map { index, value in
            try builder.quantized(
                builder.base.node("mean\(index)", .globalAveragePool, [value]), scale: 0.0113, zero: builder.lowest + 90
            )
        }
        let joined = try builder.quantized(
            builder.base.node("joined", .concat(axis: 1), means), scale: 0.0127, zero: builder.lowest + 100)
        let again = try builder.quantized(
            builder.base.node("again", .arithmetic(.add), [means[0], means[2]]), scale: 0.0231,
            zero: builder.lowest + 80)
        let flat = try builder.same("flat", .flatten(axis: 1), joined)
        let logits = try builder.gemm("fc", flat, outputs: 10, inputs: 64)
        var network = builder.base.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(height), .fixed(width)]), output: logits,
            type: TensorType(.float32, [.symbol("N"), .fixed(10)]))
        for name in [sum, right, back, joined, again] {
            network.outputs.append(.init(name: name, type: TensorType(.float32, [])))
        }
        let x = try builder.base.generator.tensor([2, 3, height, width])
        return (network, x)
    }

    @Test(arguments: [(true, true), (false, false)])
    func areTheSameAsNodeByNode(isSigned: Bool, hasSecondRounding: Bool) throws {
        let (network, x) = try network(isSigned: isSigned, hasSecondRounding: hasSecondRounding, height: 19, width: 23)
        var options = Executor.Options()
        options.usesBlocks = false
        let expected = try Executor(network: network, pool: pools[0], options: options).run(["input": x])
        options.usesBlocks = true
        for set in InstructionSet.allCases where set.isSupported {
            options.instructionSet = set
            for algorithm in [ConvolutionAlgorithm.direct, .winograd(.f4x3)] {
                options.prefers = algorithm
                var first: [String: Tensor]?
                for (reuses, threads) in [(true, 1), (true, 3), (false, 2)] {
                    options.reusesMemory = reuses
                    let executor = try Executor(network: network, pool: pools[threads - 1], options: options)
                    let found = try executor.run(["input": x])
                    if let first { #expect(found == first, "\(set), \(threads) threads") } else { first = found }
                }
                for (name, tensor) in expected {
                    let exact = try tensor.floats
                    let found = try #require(first?[name]).floats
                    let step = try #require(network.stepOfOutput(name))
                    let steps = zip(exact, found).map { abs(Double($0) - Double($1)) / Double(step) }
                    // Halves go either way, and what follows from a step is few steps.
                    #expect(steps.allSatisfy { $0 < 3.01 }, "\(set), \(algorithm), \(name)")
                    let mean = steps.reduce(0, +) / Double(steps.count)
                    #expect(mean < (algorithm == .direct ? 0.02 : 0.2), "\(set), \(algorithm), \(name)")
                }
            }
        }
    }

    /// Every layer but those whose values leave the network runs on bytes.
    @Test func nothingIsLeftInFloatingPoint() throws {
        let (network, x) = try network(isSigned: false, hasSecondRounding: true, height: 19, width: 23)
        let executor = try Executor(network: network, pool: pools[0])
        let profile = try executor.profile(["input": x], seconds: 0)
        let convolutions = profile.nodes.filter { $0.operation.hasPrefix("conv") }
        #expect(convolutions.count == 10 && convolutions.allSatisfy { $0.algorithm.hasPrefix("8-bit") })
        // The sums are parts of convolutions; only one has none beside it.
        #expect(profile.nodes.filter { $0.operation == "add" }.count == 1)
    }

    /// A strided convolution of an image is computed on floats where bytes would take longer, between bytes all the same.
    @Test(arguments: InstructionSet.allCases.filter(\.isSupported)) func imagesAreFilteredOnFloats(set: InstructionSet)
        throws
    {
        var builder = QuantizedBuilder(seed: 7, isSigned: false)
        let input = try builder.quantized("input", scale: 0.02, zero: 121)
        let stem = try builder.convolution(
            "stem", input, outputs: 48, inputs: 3, kernel: [7, 7], stride: 2, padding: 3, relu: true)
        let next = try builder.convolution("next", stem, outputs: 32, inputs: 48, kernel: [1, 1])
        let network = builder.base.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(41), .fixed(38)]), output: next,
            type: TensorType(.float32, []))
        let x = try builder.base.generator.tensor([2, 3, 41, 38])
        var options = Executor.Options()
        options.usesBlocks = false
        let expected = try Executor(network: network, pool: pools[0], options: options).run(["input": x])
        (options.usesBlocks, options.instructionSet) = (true, set)
        let executor = try Executor(network: network, pool: pools[2], options: options)
        let found = try executor.run(["input": x])
        let step = try Double(#require(network.stepOfOutput(next)))
        let steps = zip(try #require(expected[next]).floats, try #require(found[next]).floats).map {
            abs(Double($0) - Double($1)) / step
        }
        #expect(steps.allSatisfy { $0 < 1.01 } && steps.reduce(0, +) < 0.02 * Double(steps.count))
        let layers = try executor.profile(["input": x], seconds: 0).nodes.filter { $0.operation.hasPrefix("conv") }
        let isSlow = QuantizedKernelSet(set).weightBytes > 1
        #expect(layers.map { $0.algorithm.hasPrefix("8-bit") } == [!isSlow, true])
    }

    /// The taps of a row of an image of few channels are read as one run, which ends in the middle of four bytes.
    @Test(arguments: 1...4) func imagesOfFewChannels(channels: Int) throws {
        let cases: [(kernel: [Int], stride: Int, padding: Int, dilation: Int)] = [
            ([1, 1], 1, 0, 1), ([1, 3], 1, 0, 1), ([3, 1], 1, 0, 1), ([3, 3], 1, 1, 1), ([5, 7], 2, 3, 1),
            ([3, 3], 1, 1, 2),
        ]
        for (kernel, stride, padding, dilation) in cases {
            var builder = QuantizedBuilder(seed: 11, isSigned: channels % 2 == 0)
            let input = try builder.quantized("input", scale: 0.02, zero: channels % 2 == 0 ? 7 : 121)
            let output = try builder.convolution(
                "stem", input, outputs: 35, inputs: channels, kernel: kernel, stride: stride, padding: padding,
                dilation: dilation)
            let network = builder.base.network(
                input: TensorType(.float32, [.symbol("N"), .fixed(channels), .fixed(9), .fixed(14)]), output: output,
                type: TensorType(.float32, []))
            let x = try builder.base.generator.tensor([2, channels, 9, 14])
            var options = Executor.Options()
            options.usesBlocks = false
            let expected = try Executor(network: network, pool: pools[0], options: options).run(["input": x])
            options.usesBlocks = true
            let step = try Double(#require(network.stepOfOutput(output)))
            for set in InstructionSet.allCases where set.isSupported {
                options.instructionSet = set
                let found = try Executor(network: network, pool: pools[2], options: options).run(["input": x])
                let steps = zip(try #require(expected[output]).floats, try #require(found[output]).floats).map {
                    abs(Double($0) - Double($1)) / step
                }
                #expect(
                    steps.allSatisfy { $0 < 1.01 } && steps.reduce(0, +) < 0.02 * Double(steps.count),
                    "\(kernel), stride \(stride), \(set)")
            }
        }
    }

    /// A matrix product that nobody rounds reads bytes all the same: terms and outputs that fill no block, either order of the
    /// weights, either kind of bias.
    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func productsOfBytesMakeFloats(isSigned: Bool, isTransposed: Bool) throws {
        let (rows, terms, outputs) = (3, 37, 35)
        var builder = QuantizedBuilder(seed: 13, isSigned: isSigned)
        let input = try builder.quantized("input", scale: 0.02, zero: isSigned ? 7 : 121)
        let logits = try builder.product(
            "fc", input, outputs: outputs, inputs: terms, isTransposed: isTransposed, hasFloatBias: isTransposed)
        let network = builder.base.network(
            input: TensorType(.float32, [.fixed(rows), .fixed(terms)]), output: logits, type: TensorType(.float32, []))
        let x = try builder.base.generator.tensor([rows, terms])
        var options = Executor.Options()
        options.usesBlocks = false
        let expected = try Executor(network: network, pool: pools[0], options: options).run(["input": x])
        let reference = try #require(expected[logits]).floats
        options.usesBlocks = true
        for set in InstructionSet.allCases where set.isSupported {
            options.instructionSet = set
            let executor = try Executor(network: network, pool: pools[2], options: options)
            let found = try #require(try executor.run(["input": x])[logits]).floats
            #expect(zip(reference, found).allSatisfy { abs($0 - $1) < 2e-6 * (1 + abs($0)) })
            let algorithms = try executor.profile(["input": x], seconds: 0).nodes.map(\.algorithm)
            #expect(algorithms.contains("8-bit"))
        }
    }

    /// The operators of quantised numbers become the same layers.
    @Test func quantizedOperatorsAreLayersToo() throws {
        var generator = SeededGenerator(seed: 9)
        let (inputs, outputs) = (19, 33)
        let constants: [String: Tensor] = [
            "xs": try Tensor([0.02 as Float], shape: []), "xz": try Tensor([130 as UInt8], shape: []),
            "w": try Tensor(
                (0..<outputs * inputs * 9).map { _ in UInt8.random(in: 3...250, using: &generator) },
                shape: Shape([outputs, inputs, 3, 3])),
            "ws": try Tensor([0.01 as Float], shape: []), "wz": try Tensor([128 as UInt8], shape: []),
            "b": try Tensor((0..<outputs).map { Int32(31 * $0) }, shape: Shape([outputs])),
            "ys": try Tensor([0.3 as Float], shape: []), "yz": try Tensor([118 as UInt8], shape: []),
        ]
        let window = Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))
        let network = Network(
            name: "quantised", inputs: [.init(name: "x", type: TensorType(.uint8, [1, 19, 9, 10].map { .fixed($0) }))],
            outputs: [.init(name: "y", type: TensorType(.uint8, [1, 33, 9, 10].map { .fixed($0) }))],
            nodes: [
                Node(
                    name: "conv", operation: .quantizedConvolution(Convolution(window: window)),
                    inputs: ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], outputs: ["y"])
            ], constants: constants)
        let x = try Tensor(
            (0..<19 * 90).map { _ in UInt8.random(in: 0...255, using: &generator) }, shape: Shape([1, 19, 9, 10]))
        var options = Executor.Options()
        options.usesBlocks = false
        let expected = try Executor(network: network, pool: pools[0], options: options).run(["x": x])["y"]
        let executor = try Executor(network: network, pool: pools[1])
        let found = try executor.run(["x": x])["y"]
        let pairs = zip(try #require(expected).elements(UInt8.self), try #require(found).elements(UInt8.self))
        #expect(pairs.allSatisfy { abs(Int($0) - Int($1)) <= 1 })
        #expect(pairs.filter { $0 != $1 }.count < 30)
        #expect(try executor.profile(["x": x], seconds: 0).nodes.contains { $0.algorithm.hasPrefix("8-bit") })
    }
}

/// Builds networks whose values are quantised, as files have them.
private struct QuantizedBuilder {
    static let three = Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))

    var base: NetworkBuilder
    let isSigned: Bool
    /// What each value was last quantised with.
    private var scales: [String: (scale: Float, zero: Int)] = [:]

    init(seed: UInt64, isSigned: Bool) {
        base = NetworkBuilder(seed: seed)
        self.isSigned = isSigned
    }

    /// The zero point of values that are not negative.
    var lowest: Int { isSigned ? -128 : 0 }

    /// A value quantised and dequantised.
    mutating func quantized(_ value: String, scale: Float, zero: Int) throws -> String {
        let name = "\(value).\(base.nodes.count)"
        base.constants[name + ".scale"] = try Tensor([scale], shape: [])
        base.constants[name + ".zero"] =
            try isSigned ? Tensor([Int8(zero)], shape: []) : Tensor([UInt8(zero)], shape: [])
        let operands = [name + ".scale", name + ".zero"]
        let bytes = base.node(
            name + ".quantize", .quantizeLinear(axis: 1, type: isSigned ? .int8 : .uint8), [value] + operands)
        let result = base.node(name + ".dequantize", .dequantizeLinear(axis: 1), [bytes] + operands)
        scales[result] = (scale, zero)
        return result
    }

    /// An operation whose result has its operand's quantisation.
    mutating func same(_ name: String, _ operation: Operator, _ value: String) throws -> String {
        let (scale, zero) = scales[value] ?? (1, 0)
        return try quantized(base.node(name, operation, [value]), scale: scale, zero: zero)
    }

    /// Weights of these extents, outputs first, or, of a matrix with `areColumns`, last.
    private mutating func weights(
        _ name: String, _ extents: [Int], inputScale: Float, areColumns: Bool = false
    ) throws -> [String] {
        let count = extents.reduce(1, *)
        let bytes = (0..<count).map { _ in Int8.random(in: -127...127, using: &base.generator) }
        let fan = Float(count / extents[0])
        let scales = (0..<extents[0]).map { _ in
            Float.random(in: 0.5...1, using: &base.generator) / (70 * fan.squareRoot())
        }
        let biases = (0..<extents[0]).map { _ in Int32.random(in: -900...900, using: &base.generator) }
        base.constants[name + ".w"] = try Tensor(bytes, shape: Shape(areColumns ? extents.reversed() : extents))
        base.constants[name + ".ws"] = try Tensor(scales, shape: Shape([extents[0]]))
        base.constants[name + ".b"] = try Tensor(biases, shape: Shape([extents[0]]))
        base.constants[name + ".bs"] = try Tensor(scales.map { $0 * inputScale }, shape: Shape([extents[0]]))
        return [
            base.node(name + ".weight", .dequantizeLinear(axis: areColumns ? 1 : 0), [name + ".w", name + ".ws"]),
            base.node(name + ".bias", .dequantizeLinear(axis: 0), [name + ".b", name + ".bs"]),
        ]
    }

    mutating func convolution(
        _ name: String, _ input: String, outputs: Int, inputs: Int, kernel: [Int], stride: Int = 1, padding: Int = 0,
        dilation: Int = 1, groups: Int = 1, relu: Bool = false, rounds: Bool = true
    ) throws -> String {
        let parameters = try weights(
            name, [outputs, inputs / groups] + kernel, inputScale: scales[input]?.scale ?? 1)
        func all(_ value: Int) -> [Int] { [value, value] }
        // A window of one row or column has no border along it.
        let border = kernel.map { $0 == 1 ? 0 : padding }
        let window = Window(
            kernel: kernel, strides: all(stride), dilations: all(dilation),
            padding: .explicit(before: border, after: border))
        var value = base.node(
            name, .convolution(Convolution(window: window, groups: groups)), [input] + parameters)
        if relu { value = base.relu(name + ".relu", value) }
        return try rounds ? quantized(value, scale: 0.02, zero: relu ? lowest : lowest + 120) : value
    }

    /// A matrix product whose result is not rounded; with weights `[outputs, inputs]` if `isTransposed`.
    mutating func product(
        _ name: String, _ input: String, outputs: Int, inputs: Int, isTransposed: Bool, hasFloatBias: Bool
    ) throws -> String {
        var parameters = try weights(
            name, [outputs, inputs], inputScale: scales[input]?.scale ?? 1, areColumns: !isTransposed)
        if hasFloatBias {
            base.constants[name + ".floats"] = try base.generator.tensor([outputs])
            parameters[1] = name + ".floats"
        }
        return base.node(name, .gemm(Gemm(transposesB: isTransposed)), [input] + parameters)
    }

    mutating func gemm(_ name: String, _ input: String, outputs: Int, inputs: Int) throws -> String {
        let parameters = try weights(name, [outputs, inputs], inputScale: scales[input]?.scale ?? 1)
        let value = base.node(name, .gemm(Gemm(transposesB: true)), [input] + parameters)
        return try quantized(value, scale: 0.02, zero: lowest + 128)
    }
}

extension Network {
    /// The scale of the dequantisation that makes an output.
    fileprivate func stepOfOutput(_ name: String) -> Float? {
        guard let node = nodes.first(where: { $0.outputs.contains(name) }), let scale = node.input(1) else {
            return nil
        }
        return constants[scale]?.withElements(of: Float.self) { $0[0] }
    }
}
