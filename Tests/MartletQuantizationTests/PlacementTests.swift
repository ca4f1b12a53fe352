import MartletNetworks
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct PlacementTests {
    @Test func everyLayerAndWhatLiesBetween() throws {
        let placement = try Placement(try branchingNetwork())
        #expect(
            placement.layers.map(\.name) == [
                "stem", "tucker.1", "tucker.2", "tucker.3", "cp.1", "cp.2", "cp.3", "cp.4", "fc",
            ])
        // What a ReLU follows is quantized behind it; the class scores are not.
        #expect(
            placement.values == [
                "input", "stem.relu.output", "tucker.1.output", "tucker.2.output", "tucker.3.output", "sum.relu.output",
                "cp.1.output", "cp.2.output", "cp.3.output", "cp.4.relu.output", "max.output", "concat.output",
                "mean.output", "flatten.output",
            ])
        let shared = placement.groups.map(\.members).filter { $0.count > 1 }.map(Set.init)
        #expect(
            shared == [
                ["cp.4.relu.output", "max.output", "concat.output", "sum.relu.output"],
                ["mean.output", "flatten.output"],
            ])
    }

    @Test func excludedLayersAreLeftAlone() throws {
        let placement = try Placement(try branchingNetwork(), excluding: ["stem", "fc", "tucker.2"])
        #expect(!placement.layers.map(\.name).contains { ["stem", "fc", "tucker.2"].contains($0) })
        #expect(!placement.values.contains("input") && !placement.values.contains("flatten.output"))
        // Its neighbours still leave and read quantized values.
        #expect(placement.values.contains("tucker.1.output") && placement.values.contains("tucker.2.output"))
    }

    @Test func anOutputThatIsReadKeepsItsName() throws {
        var network = try branchingNetwork()
        network.outputs.append(
            .init(name: "stem.relu.output", type: TensorType(.float32, [.unknown, .unknown, .unknown, .unknown])))
        let quantized = try StaticQuantizer(pool: pools[1]).quantized(
            network, batches: source(try batches(2, extents: [3, 10, 10]))
        ).network
        #expect(quantized.outputs.map(\.name) == network.outputs.map(\.name))
        let batch = try batches(1, extents: [3, 10, 10])[0]
        let (a, b) = (try run(network, batch), try run(quantized, batch))
        let exact = try #require(a["stem.relu.output"])
        let (difference, whole) = exact.squaredDifference(from: try #require(b["stem.relu.output"]))
        #expect(difference / whole < 1e-3)
    }
}
