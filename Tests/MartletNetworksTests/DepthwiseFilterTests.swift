import MartletInference
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNetworks

/// Two depthwise convolutions along different axes become one, and nothing else does.
@Suite struct DepthwiseFilterTests {
    private let pool = ThreadPool()

    /// What the first and the second depthwise convolution do along the two axes.
    private struct Case {
        var first = Window(kernel: [3, 1], padding: .explicit(before: [1, 0], after: [1, 0]))
        var second = Window(kernel: [1, 3], padding: .explicit(before: [0, 1], after: [0, 1]))
        var firstHasBias = false
        var secondHasBias = true
        var activation: Activation?
        var groups = 4
        var showsMiddle = false
    }

    private func network(_ c: Case) throws -> (network: Network, images: Tensor) {
        var maker = NetworkMaker(seed: 11)
        maker.channels = 4
        func layer(_ window: Window, _ x: String, bias: Bool, _ activation: Activation?) throws -> String {
            let weight = try maker.floats([4, 4 / c.groups] + window.kernel)
            let convolution = Convolution(window: window, groups: c.groups, activation: activation)
            return maker.add(.convolution(convolution), [x, weight, bias ? try maker.floats([4]) : nil])
        }
        let middle = try layer(c.first, "input", bias: c.firstHasBias, c.activation)
        let last = try layer(c.second, middle, bias: c.secondHasBias, nil)
        let type = TensorType(.float32, [.symbol("N"), .fixed(4), .unknown, .unknown])
        let shown = c.showsMiddle ? [last, middle] : [last]
        return (
            Network(
                name: "", inputs: [.init(name: "input", type: type)],
                outputs: shown.map { .init(name: $0, type: type) },
                nodes: maker.nodes, constants: maker.constants),
            try Tensor(maker.generator.floats(2 * 4 * 9 * 8), shape: [2, 4, 9, 8])
        )
    }

    private func run(_ network: Network, _ images: Tensor, joins: Bool) throws -> [String: [Float]] {
        var options = Executor.Options()
        options.joinsFilters = joins
        return try Executor(network: network, pool: pool, options: options).run(["input": images])
            .mapValues { try $0.elements(Float.self) }
    }

    @Test func joinedFiltersComputeTheSame() throws {
        var strided = Case()
        strided.first.strides = [2, 1]
        strided.second.strides = [1, 3]
        strided.first.dilations = [2, 1]
        var uneven = Case(firstHasBias: false, secondHasBias: false)
        uneven.first = Window(kernel: [1, 3], padding: .explicit(before: [0, 2], after: [0, 0]))
        uneven.second = Window(kernel: [2, 1], padding: .explicit(before: [0, 0], after: [1, 0]))
        var points = Case()
        points.second = Window(kernel: [1, 1])
        for (index, c) in [Case(), strided, uneven, points].enumerated() {
            let (network, images) = try network(c)
            var joined = network
            try joined.joinDepthwiseFilters()
            #expect(joined.nodes.count == 1 && joined.nodes[0].name == network.nodes[1].name)
            #expect(joined.constants.count == (c.secondHasBias ? 2 : 1))
            #expect(try joined.validated() == joined)
            let expected = try run(network, images, joins: false)
            for found in [try run(joined, images, joins: false), try run(network, images, joins: true)] {
                for (name, values) in expected {
                    let difference = relativeDifference(try #require(found[name]), values.map { Double($0) })
                    #expect(difference < 1e-6, "\(index): \(difference)")
                }
            }
        }
    }

    @Test func otherFiltersStay() throws {
        var bothMove = Case()
        bothMove.second = Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))
        var bothStep = Case()
        bothStep.second.strides = [2, 1]
        var tooLarge = Case()
        tooLarge.first = Window(kernel: [5, 1])
        var sized = Case()
        sized.second.padding = .sameUpper
        for (index, c) in [
            Case(firstHasBias: true), Case(activation: .relu), Case(groups: 2), Case(showsMiddle: true), bothMove,
            bothStep, tooLarge, sized,
        ].enumerated() {
            let (network, _) = try network(c)
            var joined = network
            try joined.joinDepthwiseFilters()
            #expect(joined == network, "\(index)")
        }
    }

    /// Of three, the first two; a weight that another layer reads, too, is still there.
    @Test func threeFilters() throws {
        var (network, images) = try network(Case(secondHasBias: false))
        var third = network.nodes[1]
        third.name = "third"
        (third.inputs, third.outputs) = ([network.nodes[1].outputs[0], network.nodes[0].inputs[1]], ["third"])
        third.operation = network.nodes[0].operation
        network.nodes.append(third)
        network.outputs[0].name = "third"
        var joined = network
        try joined.joinDepthwiseFilters()
        #expect(joined.nodes.map(\.name) == [network.nodes[1].name, "third"])
        let (a, b) = (try run(network, images, joins: false), try run(joined, images, joins: false))
        #expect(relativeDifference(try #require(b["third"]), try #require(a["third"]).map { Double($0) }) < 1e-6)
    }
}
