import MartletInference
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNetworks

/// Rewriting a network changes how it is computed, not what.
@Suite struct PassTests {
    private static let pool = ThreadPool()

    private static func run(_ network: Network, _ images: Tensor, fuses: Bool = false) throws -> [String: Tensor] {
        var options = Executor.Options()
        options.fuses = fuses
        return try Executor(network: network, pool: pool, options: options).run(["input": images])
    }

    private func expectSame(_ found: [String: Tensor], _ expected: [String: Tensor], _ what: String) throws {
        #expect(found.keys.sorted() == expected.keys.sorted(), "\(what)")
        for (name, tensor) in expected {
            let values = try #require(found[name]).elements(Float.self)
            let difference = relativeDifference(values, try tensor.elements(Float.self).map { Double($0) })
            #expect(difference < 2e-5, "\(what), \(name): \(difference)")
        }
    }

    @Test func everyPassKeepsWhatRandomNetworksCompute() throws {
        for seed in 0..<UInt64(3 * NetworkMaker.blockCount) {
            var (maker, network) = try NetworkMaker.network(
                seed: 1000 + seed, first: Int(seed) % NetworkMaker.blockCount, blocks: 5)
            let images = try maker.images(batch: 1 + Int(seed % 2))
            let expected = try Self.run(network, images)
            var changed = network
            changed.removeIdentities()
            try expectSame(try Self.run(changed, images), expected, "seed \(seed), identities")
            changed = network
            try changed.foldBatchNormalizations()
            try expectSame(try Self.run(changed, images), expected, "seed \(seed), batch normalisation")
            changed = network
            changed.removeDeadNodes()
            try expectSame(try Self.run(changed, images), expected, "seed \(seed), dead nodes")
            try expectSame(try Self.run(network.folded().network, images), expected, "seed \(seed), folding")
            try expectSame(try Self.run(network.inSinglePrecision(), images), expected, "seed \(seed), precision")
            try expectSame(try Self.run(network, images, fuses: true), expected, "seed \(seed), fusion")
            let simplified = try network.simplified()
            try expectSame(try Self.run(simplified, images, fuses: true), expected, "seed \(seed), simplified")
            #expect(
                simplified.inputs == network.inputs && simplified.outputs.map(\.name) == network.outputs.map(\.name))
            #expect(Set(simplified.nodes.map(\.name)).count == simplified.nodes.count)
            #expect(try simplified.validated() == simplified)
            // Doing it again changes nothing.
            #expect(try simplified.simplified() == simplified, "seed \(seed)")
        }
    }

    // MARK: Batch normalisation

    private func image(_ channels: Int) -> Network.Value {
        .init(name: "input", type: TensorType(.float32, [.fixed(1), .fixed(channels), .fixed(4), .fixed(4)]))
    }

    private func normalized(
        groups: Int, sharesWeight: Bool, bias: Bool
    ) throws -> (network: Network, images: Tensor) {
        var maker = NetworkMaker(seed: 3)
        maker.channels = 4
        let weight = try maker.floats([4, 4 / groups, 3, 3])
        let window = Window(kernel: [3, 3], padding: .sameUpper)
        let addend = bias ? try maker.floats([4]) : nil
        let first = maker.add(.convolution(Convolution(window: window, groups: groups)), ["input", weight, addend])
        let a = try maker.normalized(first)
        let second = maker.add(
            .convolution(Convolution(window: window, groups: groups)),
            [a, sharesWeight ? weight : try maker.floats([4, 4 / groups, 3, 3]), sharesWeight ? addend : nil])
        let b = try maker.normalized(second)
        let network = Network(
            name: "", inputs: [image(4)],
            outputs: [.init(name: b, type: TensorType(.float32, image(4).type.dimensions))],
            nodes: maker.nodes, constants: maker.constants)
        return (network, try Tensor(maker.generator.floats(64), shape: [1, 4, 4, 4]))
    }

    @Test(arguments: [1, 2, 4], [false, true]) func batchNormalizationGoesIntoConvolutions(
        _ groups: Int, _ bias: Bool
    ) throws {
        for sharesWeight in [false, true] {
            let (network, images) = try normalized(groups: groups, sharesWeight: sharesWeight, bias: bias)
            var folded = network
            try folded.foldBatchNormalizations()
            #expect(folded.nodes.count == 2)
            #expect(folded.constants.count == 4, "two weights, two biases")
            try expectSame(try Self.run(folded, images), try Self.run(network, images), "\(groups) groups")
        }
    }

    @Test func batchNormalizationStaysWhereTheConvolutionIsReadTwice() throws {
        var maker = NetworkMaker(seed: 4)
        maker.channels = 2
        let product = try maker.sameConvolution("input")
        let result = maker.add(.arithmetic(.add), [try maker.normalized(product), product])
        var network = Network(
            name: "", inputs: [image(2)], outputs: [.init(name: result, type: image(2).type)], nodes: maker.nodes,
            constants: maker.constants)
        try network.foldBatchNormalizations()
        #expect(network.nodes.count == 3)
        // An output of the network is read too.
        network = Network(
            name: "", inputs: [image(2)],
            outputs: [
                .init(name: maker.nodes[1].outputs[0] ?? "", type: image(2).type),
                .init(name: product, type: image(2).type),
            ],
            nodes: Array(maker.nodes[..<2]), constants: maker.constants)
        try network.foldBatchNormalizations()
        #expect(network.nodes.count == 2)
    }

    @Test func batchNormalizationWithOddParametersStays() throws {
        let (network, _) = try normalized(groups: 1, sharesWeight: false, bias: true)
        for index in 1...4 {
            var odd = network
            odd.constants[try #require(network.nodes[1].input(index))] = try Tensor([1 as Float], shape: [1])
            try odd.foldBatchNormalizations()
            #expect(odd.nodes.count == 3)
        }
    }

    // MARK: Identities

    private func relu(_ input: String, _ output: String) -> Node {
        Node(name: output, operation: .activation(.relu), inputs: [input], outputs: [output])
    }

    private func identity(_ input: String, _ output: String) -> Node {
        Node(name: output, operation: .identity, inputs: [input], outputs: [output])
    }

    private func network(_ nodes: [Node], outputs: [String], constants: [String: Tensor] = [:]) -> Network {
        Network(
            name: "", inputs: [image(1)], outputs: outputs.map { .init(name: $0, type: image(1).type) }, nodes: nodes,
            constants: constants)
    }

    @Test func identitiesGoButNamesStay() throws {
        func left(_ nodes: [Node], _ outputs: [String]) -> [Node] {
            var network = network(nodes, outputs: outputs)
            network.removeIdentities()
            return network.nodes
        }
        #expect(left([identity("input", "a"), relu("a", "y")], ["y"]) == [relu("input", "y")])
        // Between an input and an output nothing else can carry the name.
        #expect(left([identity("input", "y")], ["y"]) == [identity("input", "y")])
        // The producer takes over the output's name, for those who read the old one as well.
        var renamed = relu("input", "a")
        renamed.outputs = ["y"]
        #expect(
            left([relu("input", "a"), identity("a", "y"), relu("a", "z")], ["y", "z"]) == [renamed, relu("y", "z")])
        #expect(
            left([relu("input", "a"), identity("a", "b"), identity("b", "y"), relu("b", "z")], ["y", "z"]) == [
                renamed, relu("y", "z"),
            ])
        // Two outputs of one value: one of them stays a copy.
        #expect(
            left([relu("input", "a"), identity("a", "y"), identity("a", "z")], ["y", "z"]) == [
                renamed, identity("y", "z"),
            ])
        // Both names are outputs.
        let both = [relu("input", "a"), identity("a", "y")]
        #expect(left(both, ["a", "y"]) == both)
    }

    @Test func dropoutGoesUnlessItsMaskIsWanted() {
        let dropout = Node(name: "d", operation: .dropout, inputs: ["input"], outputs: ["a", "mask"])
        var unread = network([dropout, relu("a", "y")], outputs: ["y"])
        unread.removeIdentities()
        #expect(unread.nodes == [relu("input", "y")])
        var read = network([dropout, relu("a", "y")], outputs: ["y", "mask"])
        read.removeIdentities()
        #expect(read.nodes.count == 2)
    }

    @Test func identitiesOverConstantsGo() throws {
        let weight = try Tensor([2 as Float], shape: [1, 1, 1, 1])
        let convolution = Node(
            name: "c", operation: .convolution(Convolution(window: Window(kernel: [1, 1]))),
            inputs: ["input", "shared"],
            outputs: ["y"])
        let simplified = try network([identity("w", "shared"), convolution], outputs: ["y"], constants: ["w": weight])
            .simplified()
        #expect(simplified.nodes.count == 1 && simplified.weightedLayers().count == 1)
    }

    // MARK: Dead nodes, names

    @Test func whatNobodyReadsGoes() throws {
        var network = network(
            [relu("input", "a"), relu("a", "b"), relu("a", "y")], outputs: ["y"],
            constants: ["unread": try Tensor([1 as Float], shape: [1])])
        network.removeDeadNodes()
        #expect(network.nodes.map(\.name) == ["a", "y"] && network.constants.isEmpty)
    }

    @Test func namesAreUnique() {
        var network = network([relu("input", "a"), relu("a", "b"), relu("b", "y")], outputs: ["y"])
        for index in 0..<3 { network.nodes[index].name = "same" }
        network.nameNodes()
        #expect(network.nodes.map(\.name) == ["a", "b", "y"])
        network.nodes[0].name = "b"
        network.nodes[1].name = ""
        network.nameNodes()
        #expect(network.nodes.map(\.name) == ["b", "b.2", "y"])
    }
}
