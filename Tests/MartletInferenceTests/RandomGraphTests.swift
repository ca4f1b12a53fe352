import MartletInference
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

/// Whatever the graph: sharing memory, fusing, the number of threads and the split of a batch change no bit.
@Suite struct RandomGraphTests {
    /// A random graph over values `[N, 4, 3, 3]`, with several outputs.
    private func graph(_ generator: inout SeededGenerator) throws -> Network {
        var network = Network(
            name: "random",
            inputs: ["p", "q"].map {
                .init(name: $0, type: TensorType(.float32, [.symbol("N"), .fixed(4), .fixed(3), .fixed(3)]))
            }, outputs: [], nodes: [])
        var values = ["p", "q"]
        func add(_ operation: Operator, _ inputs: [String?], outputs: [String]? = nil) -> String {
            let number = network.nodes.count
            let outputs = outputs ?? ["v\(number)"]
            network.nodes.append(Node(name: "n\(number)", operation: operation, inputs: inputs, outputs: outputs))
            return outputs[0]
        }
        func constant(_ tensor: Tensor) -> String {
            let name = "c\(network.constants.count)"
            network.constants[name] = tensor
            return name
        }
        for _ in 0..<generator.integer(3...14) {
            let x = values[generator.integer(max(0, values.count - 5)...(values.count - 1))]
            let y = values[generator.integer(0...(values.count - 1))]
            switch generator.integer(0...13) {
            case 0: values.append(add(.activation(.relu), [x]))
            case 1: values.append(add(.activation(.leakyRelu(slope: 0.5)), [x]))
            case 2, 3: values.append(add(.arithmetic(.add), [x, y]))
            case 4: values.append(add(.arithmetic(.multiply), [x, y]))
            case 5: values.append(add(.softmax(Softmax(axis: 1)), [x]))
            case 6:
                // There and back: two more names for the same bytes.
                let flat = add(.flatten(axis: 1), [x])
                let bent = add(.activation(.tanh), [flat])
                let back = generator.integer(0...1) == 0 ? flat : bent
                let shape = constant(try Tensor([Int64(0), 4, 3, 3], shape: [4]))
                values.append(add(.reshape(allowsZero: false), [back, shape]))
            case 7: values.append(add(generator.integer(0...1) == 0 ? .identity : .dropout, [x]))
            case 8:
                let mask = "m\(network.nodes.count)"
                values.append(add(.dropout, [x], outputs: ["d\(network.nodes.count)", mask]))
                values.append(add(.select, [mask, values[values.count - 1], y]))
            case 9:
                let half = add(.split(axis: 1), [x], outputs: ["s\(network.nodes.count)", "t\(network.nodes.count)"])
                let other = "t" + half.dropFirst()
                values.append(add(.concat(axis: 1), [other, half]))
            case 10:
                let window = Window(kernel: [3, 3], padding: .sameUpper)
                let weight = constant(try generator.tensor([4, 4, 3, 3]))
                values.append(add(.convolution(Convolution(window: window)), [x, weight]))
            case 11:
                let window = Window(kernel: [2, 2], padding: .sameLower)
                let weight = constant(try generator.tensor([4, 1, 2, 2]))
                values.append(add(.convolution(Convolution(window: window, groups: 4)), [x, weight]))
            case 12:
                values.append(add(.maxPool(Pooling(window: Window(kernel: [3, 3], padding: .sameUpper))), [x]))
            default:
                let flat = add(.flatten(axis: 1), [x])
                let weight = constant(try generator.tensor([36, 36]))
                let product = add(.gemm(Gemm()), [flat, weight])
                let shape = constant(try Tensor([Int64(-1), 4, 3, 3], shape: [4]))
                values.append(add(.reshape(allowsZero: false), [product, shape]))
            }
        }
        let last = values[values.count - 1]
        let middle = values[generator.integer(0...(values.count - 1))]
        network.outputs = Set([last, middle]).sorted().map { .init(name: $0, type: TensorType(.float32, [])) }
        return network
    }

    private func bits(_ outputs: [String: Tensor]) throws -> [String: [UInt32]] {
        try outputs.mapValues { try $0.floats.map(\.bitPattern) }
    }

    @Test func nothingChangesABit() throws {
        var generator = SeededGenerator(seed: 1)
        for round in 0..<120 {
            let network = try graph(&generator)
            let inputs = ["p": try generator.tensor([3, 4, 3, 3]), "q": try generator.tensor([3, 4, 3, 3])]
            var options = Executor.Options()
            options.fuses = false
            options.reusesMemory = false
            let plain = try Executor(network: network, pool: pools[0], options: options)
            let expected = try bits(plain.run(inputs))
            for (fuses, threads) in [(false, 1), (true, 1), (true, 2), (true, 3)] {
                options.fuses = fuses
                options.reusesMemory = true
                let executor = try Executor(network: network, pool: pools[threads - 1], options: options)
                // Twice, so that what the first run leaves in memory would show.
                for _ in 0..<2 { #expect(try bits(executor.run(inputs)) == expected, "round \(round)") }
                #expect(
                    try executor.peakBytes(inputs.mapValues(\.shape)) <= plain.peakBytes(inputs.mapValues(\.shape))
                        + 64 * threads * 1024)
                let first = try bits(executor.run(inputs.mapValues { try $0.images(0..<1) }))
                let rest = try bits(executor.run(inputs.mapValues { try $0.images(1..<3) }))
                for (name, whole) in expected {
                    #expect((first[name] ?? []) + (rest[name] ?? []) == whole, "round \(round) \(name)")
                }
            }
        }
    }
}
