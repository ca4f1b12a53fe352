import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNetworks

/// Shape arithmetic is done in advance, for a batch known only by name.
@Suite struct FoldingTests {
    private func network(_ maker: NetworkMaker, output: String, rank: Int) -> Network {
        Network(
            name: "",
            inputs: [
                .init(name: "input", type: TensorType(.float32, [.symbol("N"), .fixed(2), .fixed(3), .fixed(4)]))
            ],
            outputs: [.init(name: output, type: TensorType(.float32, [Extent](repeating: .unknown, count: rank)))],
            nodes: maker.nodes, constants: maker.constants)
    }

    /// `view(N, -1)`, as PyTorch exports it.
    @Test func viewOfTheBatch() throws {
        var maker = NetworkMaker(seed: 1)
        let shape = maker.add(.shape(start: 0, end: nil), ["input"])
        let batch = maker.add(.gather(axis: 0), [shape, maker.constant(try Tensor([0 as Int64], shape: []))])
        let first = maker.add(.unsqueeze, [batch, try maker.integers([0])])
        let wanted = maker.add(.concat(axis: 0), [first, try maker.integers([-1])])
        let y = maker.add(.reshape(allowsZero: false), ["input", wanted])
        let typed = try network(maker, output: y, rank: 2).folded()
        #expect(typed.network.nodes.count == 1)
        #expect(typed.type(of: y)?.dimensions == [.symbol("N"), .fixed(24)])
        let shapes = typed.network.constants.values.compactMap(\.integers)
        #expect(shapes == [[0, -1]])
        // And again for a batch in numbers.
        let specialized = try typed.network.specialized(to: ["input": [5, 2, 3, 4]])
        #expect(specialized.type(of: y)?.extents == [5, 24])
    }

    /// `view(N, C * H, W)` with the product computed in the graph.
    @Test func arithmeticOnExtents() throws {
        var maker = NetworkMaker(seed: 1)
        let shape = maker.add(.shape(start: 0, end: nil), ["input"])
        func extent(_ index: Int) throws -> String {
            let axes = [try maker.integers([index]), try maker.integers([index + 1])]
            return maker.add(.slice, [shape, axes[0], axes[1]])
        }
        let (n, c, h, w) = (try extent(0), try extent(1), try extent(2), try extent(3))
        let product = maker.add(.cast(to: .int64), [maker.add(.arithmetic(.multiply), [c, h])])
        let y = maker.add(.reshape(allowsZero: false), ["input", maker.add(.concat(axis: 0), [n, product, w])])
        let typed = try network(maker, output: y, rank: 3).folded()
        #expect(typed.network.nodes.count == 1)
        #expect(typed.type(of: y)?.dimensions == [.symbol("N"), .fixed(6), .fixed(4)])
    }

    @Test func expandToTheBatch() throws {
        var maker = NetworkMaker(seed: 1)
        let shape = maker.add(.shape(start: 0, end: nil), ["input"])
        let y = maker.add(.expand, ["input", shape])
        let typed = try network(maker, output: y, rank: 4).folded()
        #expect(typed.network.nodes.map(\.operation) == [.expand])
        #expect(typed.network.constants.values.compactMap(\.integers) == [[1, 2, 3, 4]])
    }

    @Test func constantsAreComputed() throws {
        var maker = NetworkMaker(seed: 1)
        let weight = maker.add(.transpose(permutation: nil), [try maker.floats([3, 2])])
        let doubled = maker.add(.arithmetic(.add), [weight, weight])
        let y = maker.add(
            .arithmetic(.multiply),
            ["input", maker.add(.reduceMean(keepsAxes: false, keepsInputIfNoAxes: false), [doubled])])
        let folded = try network(maker, output: y, rank: 4).folded().network
        #expect(folded.nodes.count == 1 && folded.constants.count == 1)
    }

    @Test func whatIsUnknownIsLeft() throws {
        var maker = NetworkMaker(seed: 1)
        let shape = maker.add(.shape(start: 0, end: nil), ["input"])
        let half = maker.add(.arithmetic(.divide), [shape, try maker.integers([2])])
        let y = maker.add(.constantOfShape(value: try Tensor([1 as Float], shape: [1])), [half])
        let typed = try network(maker, output: y, rank: 4).folded()
        #expect(typed.network.nodes.count == 3)
        #expect(typed.type(of: y)?.dimensions == [.unknown, .fixed(1), .fixed(1), .fixed(2)])
        let specialized = try typed.network.specialized(to: ["input": [6, 2, 3, 4]])
        #expect(specialized.type(of: y)?.extents == [3, 1, 1, 2])
    }

    @Test func valuesOfInputsAreKnownWhereGiven() throws {
        let network = Network(
            name: "",
            inputs: [
                .init(name: "x", type: TensorType(.float32, [.fixed(6)])),
                .init(name: "s", type: TensorType(.int64, [.fixed(2)])),
            ], outputs: [.init(name: "y", type: TensorType(.float32, [.unknown, .unknown]))],
            nodes: [Node(name: "r", operation: .reshape(allowsZero: false), inputs: ["x", "s"], outputs: ["y"])])
        #expect(try network.folded().type(of: "y")?.dimensions == [.unknown, .unknown])
        let typed = try network.specialized(
            to: ["x": [6], "s": [2]], values: ["s": try Tensor([2, -1] as [Int64], shape: [2])])
        #expect(typed.type(of: "y")?.extents == [2, 3])
        #expect(typed.network.inputs == network.inputs)
    }

    @Test func shapesThatDoNotFitTheInputs() throws {
        let maker = NetworkMaker(seed: 1)
        let network = network(maker, output: "input", rank: 4)
        for shape in [[1, 2, 3], [1, 2, 3, 5], [1, 2, 3, 4, 1]] {
            #expect(throws: NetworkError.self) { try network.specialized(to: ["input": try Shape(shape)]) }
        }
        #expect(throws: NetworkError.self) { try network.specialized(to: [:]) }
        #expect(throws: Never.self) { try network.specialized(to: ["input": [9, 2, 3, 4]]) }
    }
}

/// What networks cost, against figures worked out by hand.
@Suite struct CostTests {
    @Test func costsByHand() throws {
        var maker = NetworkMaker(seed: 1)
        let window = Window(kernel: [3, 3], strides: [2, 2], padding: .explicit(before: [1, 1], after: [1, 1]))
        // [N, 4, 8, 8] to [N, 6, 4, 4] in 2 groups: 6 x 2 x 3 x 3 weights, 6 biases.
        let weight = try maker.floats([6, 2, 3, 3])
        let a = maker.add(
            .convolution(Convolution(window: window, groups: 2)), ["input", weight, try maker.floats([6])])
        let b = maker.add(.globalAveragePool, [maker.add(.activation(.relu), [a])])
        let c = maker.add(.flatten(axis: 1), [b])
        let d = maker.add(.gemm(Gemm(transposesB: true)), [c, try maker.floats([5, 6]), try maker.floats([5])])
        let y = maker.add(.matMul, [d, try maker.floats([5, 7])])
        let network = Network(
            name: "",
            inputs: [
                .init(name: "input", type: TensorType(.float32, [.symbol("N"), .fixed(4), .fixed(8), .fixed(8)]))
            ],
            outputs: [.init(name: y, type: TensorType(.float32, [.symbol("N"), .fixed(7)]))], nodes: maker.nodes,
            constants: maker.constants)
        let costs = try network.forOneImage().costs()
        #expect(costs.map(\.parameters) == [114, 0, 0, 0, 35, 35])
        #expect(costs.map(\.bytes) == [456, 0, 0, 0, 140, 140])
        #expect(costs.map(\.multiplyAdds) == [6 * 16 * 18, 0, 0, 0, 30, 35])
        let layers = network.weightedLayers()
        #expect(layers.map(\.outputs) == [6, 5, 7] && layers.map(\.inputs) == [4, 6, 5])
        #expect(layers.map(\.patchSize) == [18, 6, 5] && layers.map(\.groups) == [2, 1, 1])
        let total = costs.reduce(Cost(), +)
        #expect(total.parameters == 184 && total.bytes == 736 && total.multiplyAdds == 1793)
    }

    @Test func sharedConstantsCountOnce() throws {
        var maker = NetworkMaker(seed: 1)
        let weight = try maker.floats([3, 3])
        let y = maker.add(.matMul, [maker.add(.matMul, ["input", weight]), weight])
        let network = Network(
            name: "", inputs: [.init(name: "input", type: TensorType(.float32, [.fixed(2), .fixed(3)]))],
            outputs: [.init(name: y, type: TensorType(.float32, [.fixed(2), .fixed(3)]))], nodes: maker.nodes,
            constants: maker.constants)
        let costs = try network.forOneImage().costs()
        #expect(costs.map(\.parameters) == [9, 0] && costs.map(\.multiplyAdds) == [18, 18])
    }
}
