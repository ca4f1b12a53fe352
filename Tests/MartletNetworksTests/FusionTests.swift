import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNetworks

/// What is drawn into a convolution or matrix product, and what must not be.
@Suite struct FusionTests {
    private let type = TensorType(.float32, [.fixed(1), .fixed(2), .fixed(4), .fixed(4)])

    private func fused(_ maker: NetworkMaker, outputs: [String]) throws -> [Node] {
        let network = Network(
            name: "", inputs: [.init(name: "input", type: type)], outputs: outputs.map { .init(name: $0, type: type) },
            nodes: maker.nodes, constants: maker.constants)
        var typed = try network.specialized(to: ["input": [1, 2, 4, 4]])
        typed.network.fuse(types: typed.types)
        _ = try typed.network.validated()
        return typed.network.nodes
    }

    private func maker() -> NetworkMaker {
        var maker = NetworkMaker(seed: 1)
        maker.channels = 2
        return maker
    }

    private func convolutions(_ nodes: [Node]) -> [Convolution] {
        nodes.compactMap { if case .convolution(let convolution) = $0.operation { convolution } else { nil } }
    }

    @Test func activationAfterConvolution() throws {
        for activation in NetworkMaker.activations {
            var maker = maker()
            let y = maker.add(.activation(activation), [try maker.sameConvolution("input")])
            let nodes = try fused(maker, outputs: [y])
            #expect(nodes.count == 1 && convolutions(nodes).first?.activation == activation)
            #expect(nodes[0].outputs == [y])
        }
    }

    @Test func clipWithConstantBounds() throws {
        var maker = maker()
        let y = maker.add(.clip, [try maker.sameConvolution("input"), nil, try maker.scalar(6)])
        #expect(
            convolutions(try fused(maker, outputs: [y])).first?.activation == .clip(minimum: -.infinity, maximum: 6))
    }

    @Test func onlyOneActivation() throws {
        var maker = maker()
        let a = maker.add(.activation(.relu), [try maker.sameConvolution("input")])
        let y = maker.add(.activation(.tanh), [a])
        let nodes = try fused(maker, outputs: [y])
        #expect(nodes.count == 2 && convolutions(nodes).first?.activation == .relu)
    }

    @Test func residualWithItsActivation() throws {
        for operation in [Operator.arithmetic(.add), .sum] {
            for isSecond in [false, true] {
                var maker = maker()
                let product = try maker.sameConvolution("input", bias: false)
                let sum = maker.add(operation, isSecond ? ["input", product] : [product, "input"])
                let y = maker.add(.activation(.relu), [sum])
                let nodes = try fused(maker, outputs: [y])
                #expect(nodes.count == 1)
                #expect(nodes[0].inputs.count == 4 && nodes[0].inputs[2] == nil && nodes[0].inputs[3] == "input")
                #expect(
                    convolutions(nodes).first?.addsResidual == true && convolutions(nodes).first?.activation == .relu)
            }
        }
    }

    @Test func bothSidesAreConvolutions() throws {
        var maker = maker()
        let left = try maker.sameConvolution("input")
        let right = try maker.sameConvolution("input")
        let y = maker.add(.activation(.relu), [maker.add(.arithmetic(.add), [left, right])])
        let nodes = try fused(maker, outputs: [y])
        // The later one takes the sum; the earlier one's result is its residual.
        #expect(nodes.count == 2)
        #expect(nodes[1].inputs[3] == left && nodes[1].outputs == [y])
        #expect(convolutions(nodes).map(\.addsResidual) == [false, true])
    }

    @Test func diamondsStayWhole() throws {
        var maker = maker()
        let top = try maker.sameConvolution("input")
        let left = try maker.sameConvolution(top)
        let y = maker.add(.arithmetic(.add), [left, top])
        let nodes = try fused(maker, outputs: [y])
        #expect(nodes.count == 2 && convolutions(nodes).map(\.addsResidual) == [false, true])
        #expect(nodes[1].inputs[3] == top)
    }

    @Test func whatIsReadTwiceIsNotFused() throws {
        var maker = maker()
        let product = try maker.sameConvolution("input")
        let a = maker.add(.activation(.relu), [product])
        let b = maker.add(.activation(.tanh), [product])
        #expect(try fused(maker, outputs: [a, b]).count == 3)
        // An output of the network is read too.
        #expect(try fused(maker, outputs: [product, a, b]).count == 3)
        var doubled = self.maker()
        let value = try doubled.sameConvolution("input")
        let sum = doubled.add(.arithmetic(.add), [value, value])
        #expect(try fused(doubled, outputs: [sum]).count == 2)
    }

    @Test func anAdditionThatBroadcastsIsNotFused() throws {
        var maker = maker()
        let product = try maker.sameConvolution("input")
        let y = maker.add(.arithmetic(.add), [product, try maker.floats([2, 1, 1])])
        #expect(try fused(maker, outputs: [y]).count == 2)
        var other = self.maker()
        let difference = other.add(.arithmetic(.subtract), [try other.sameConvolution("input"), "input"])
        #expect(try fused(other, outputs: [difference]).count == 2)
    }

    @Test func activationAfterGemm() throws {
        var maker = maker()
        let flat = maker.add(.flatten(axis: 1), ["input"])
        let product = maker.add(.gemm(Gemm()), [flat, try maker.floats([32, 3]), try maker.floats([3])])
        let y = maker.add(.activation(.sigmoid), [product])
        let nodes = try fused(maker, outputs: [y])
        #expect(nodes.count == 2)
        #expect(nodes[1].operation == .gemm(Gemm(activation: .sigmoid)))
    }
}
