import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNetworks

@Suite struct ShortNamesTests {
    @Test func onlyNamesChange() throws {
        for seed in 0..<UInt64(NetworkMaker.blockCount) {
            let (_, original) = try NetworkMaker.network(seed: seed, first: Int(seed), blocks: 6)
            var network = original
            network.shortenNames()
            #expect(network.inputs == original.inputs && network.outputs == original.outputs)
            #expect(network.nodes.map(\.operation) == original.nodes.map(\.operation))
            #expect(network.constants.count == original.constants.count)
            var names: [String: String] = [:]
            for (node, old) in zip(network.nodes, original.nodes) {
                for case (let name?, let before?) in zip(node.inputs + node.outputs, old.inputs + old.outputs) {
                    #expect(names.updateValue(name, forKey: before) ?? name == name)
                    #expect(network.constants[name] == original.constants[before])
                }
            }
            #expect(Set(names.values).count == names.count)
            _ = try network.validated()
            let own = Set(original.inputs.map(\.name) + original.outputs.map(\.name))
            #expect(names.values.allSatisfy { own.contains($0) || $0.count <= 2 })
        }
    }

    @Test func layersKeepTheirNamesAndTakenOnesAreLeft() {
        var network = Network(
            name: "", inputs: [.init(name: "a", type: TensorType(.float32, []))],
            outputs: [.init(name: "b", type: TensorType(.float32, []))],
            nodes: [
                Node(name: "relu", operation: .activation(.relu), inputs: ["a"], outputs: ["middle"]),
                Node(name: "product", operation: .matMul, inputs: ["middle", "middle"], outputs: ["b"]),
            ])
        network.shortenNames()
        #expect(network.nodes.map(\.name) == ["", "product"])
        #expect(network.nodes[1].inputs == ["c", "c"] && network.nodes[1].outputs == ["b"])
    }

    @Test func thereAreEnoughNames() throws {
        var network = Network(
            name: "", inputs: [.init(name: "x", type: TensorType(.float32, []))], outputs: [], nodes: [])
        for index in 0..<3000 {
            network.nodes.append(
                Node(
                    name: "", operation: .activation(.relu), inputs: [index == 0 ? "x" : "value \(index - 1)"],
                    outputs: ["value \(index)"]))
        }
        network.outputs = [.init(name: "value 2999", type: TensorType(.float32, []))]
        network.shortenNames()
        _ = try network.validated()
        #expect(network.nodes.allSatisfy { ($0.input(0) ?? "").count <= 3 })
    }
}
