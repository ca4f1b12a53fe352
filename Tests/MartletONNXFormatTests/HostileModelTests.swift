import Foundation
import MartletInference
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletONNXFormat

/// Files that are cut, damaged or made to do harm: they throw an error that says what is wrong, and never trap.
@Suite struct HostileModelTests {
    /// Reads, simplifies and, where that is small, runs what is left of a file.
    private func use(_ data: Data) {
        do {
            let network = try Models.read(data)
            _ = network.weightedLayers().map(\.patchSize)
            let simplified = try network.simplified()
            _ = try ONNXWriter.bytes(of: simplified)
            _ = try? simplified.forOneImage().costs()
            let inputs = try network.inputs.map { input in
                (input.name, try Shape(input.type.dimensions.map { $0.value ?? 1 }), input.type.elementType)
            }
            let shapes = Dictionary(inputs.map { ($0.0, $0.1) }) { a, _ in a }
            let typed = try network.specialized(to: shapes)
            let elements = try CheckedArithmetic.sum(
                typed.types.values.map { $0.dimensions.reduce(1) { $0 * max(1, $1.value ?? 1) } })
            if elements > 1 << 18 { return }
            let tensors = try inputs.map { ($0.0, try Tensor(zeros: $0.1, elementType: $0.2)) }
            _ = try Executor(network: network).run(Dictionary(tensors) { a, _ in a })
        } catch {
            // That it is refused is fine, as long as it says so.
            #expect(!"\(error)".isEmpty)
            #expect(error is any MartletError, "\(error)")
        }
    }

    private func files() throws -> [Data] {
        try [0, 4, 9, 12, 20, 22, 25, 30, 31, 33].map { first in
            try ONNXWriter.bytes(of: try NetworkMaker.network(seed: UInt64(first), first: first, blocks: 2).network)
        }
    }

    @Test func cutShort() throws {
        for data in try files() {
            for count in stride(from: 0, to: data.count, by: 1 + data.count / 150) { use(data.prefix(count)) }
        }
    }

    @Test func randomBytesChanged() throws {
        var generator = SeededGenerator(seed: 11)
        for data in try files() {
            for _ in 0..<250 {
                var damaged = data
                for _ in 0..<generator.integer(1...4) {
                    // The weights make up the end of the file; most changes belong in the structure.
                    let bound = Bool.random(using: &generator) ? data.count : min(data.count, 700)
                    damaged[generator.integer(0...(bound - 1))] = UInt8.random(in: .min ... .max, using: &generator)
                }
                use(damaged)
            }
        }
    }

    @Test func numbersReplacedByExtremes() throws {
        let extremes: [Int64] = [.min, -2, -1, 0, 7, 1 << 24, 1 << 40, .max]
        for data in try files() {
            let model = try ModelProto(serializedBytes: data)
            for extreme in extremes {
                for index in model.graph.node.indices {
                    for attribute in model.graph.node[index].attribute.indices {
                        var changed = model
                        changed.graph.node[index].attribute[attribute].i = extreme
                        use(try changed.serializedBytes())
                        for place in changed.graph.node[index].attribute[attribute].ints.indices {
                            changed = model
                            changed.graph.node[index].attribute[attribute].ints[place] = extreme
                            use(try changed.serializedBytes())
                        }
                        changed.graph.node[index].attribute[attribute].ints = [extreme, extreme, 1]
                        use(try changed.serializedBytes())
                    }
                }
                for index in model.graph.initializer.indices where model.graph.initializer[index].dataType == 7 {
                    let count = model.graph.initializer[index].rawData.count / 8
                    for place in 0..<min(count, 4) {
                        var changed = model
                        withUnsafeBytes(of: extreme.littleEndian) {
                            changed.graph.initializer[index].rawData.replaceSubrange(
                                place * 8..<place * 8 + 8, with: $0)
                        }
                        use(try changed.serializedBytes())
                    }
                }
                for axis in 0..<4 {
                    var changed = model
                    changed.graph.input[0].type.tensorType.shape.dim[axis].dimValue = extreme
                    use(try changed.serializedBytes())
                }
            }
        }
    }

    @Test func notAModel() {
        #expect(throws: ONNXError.malformed(file: "made.onnx", reason: "the file is empty")) {
            try Models.read(Data())
        }
        #expect(throws: ONNXError.self) { try Models.read(Data([0xFF, 0xFF, 0xFF])) }
        #expect(throws: ONNXError.self) { try Models.read(Data("a text".utf8)) }
        #expect(throws: ONNXError.self) { try Models.read(Models.model([], outputs: [])) }
        #expect(throws: ONNXError.self) { try Models.read(ModelProto()) }
    }

    @Test(
        arguments: [
            [-1], [Int64.min], [Int64.max], [1 << 40], [1 << 32, 1 << 32], [1 << 62, 4], [2, -3],
        ] as [[Int64]]) func extentsThatCannotBe(_ dims: [Int64])
    {
        let node = Models.node("Identity", ["w"], ["y"])
        #expect(throws: ONNXError.self) { try Models.read(Models.model([node], [Models.bare("w", 1, dims)])) }
    }

    @Test func dataOfAnotherSize() {
        for count in [0, 3, 15, 17, 1000] {
            var proto = Models.bare("w", 1, [2, 2])
            proto.rawData = Data(count: count)
            #expect(throws: ONNXError.self, "\(count)") {
                try Models.read(Models.model([Models.node("Identity", ["w"], ["y"])], [proto]))
            }
        }
        #expect(throws: ONNXError.self) {
            try Models.read(Models.model([Models.node("Identity", ["w"], ["y"])], [Models.floats("w", [3], [1, 2])]))
        }
    }

    @Test func graphsThatAreNotWhole() {
        let relu = { (input: String, output: String) in Models.node("Relu", [input], [output]) }
        #expect(throws: NetworkError.cycle(nodes: ["of 'a'", "of 'b'"])) {
            try Models.read(Models.model([relu("b", "a"), relu("a", "b"), relu("b", "y")]).self)
        }
        #expect(throws: NetworkError.duplicateValue(name: "y")) {
            try Models.read(Models.model([relu("x", "y"), relu("x", "y")]))
        }
        #expect(throws: NetworkError.duplicateValue(name: "x")) {
            try Models.read(Models.model([relu("x", "x"), relu("x", "y")]))
        }
        #expect(throws: NetworkError.duplicateValue(name: "w")) {
            try Models.read(
                Models.model([relu("w", "y")], [Models.floats("w", [1], [1]), Models.floats("w", [1], [2])]))
        }
        #expect(throws: NetworkError.undefinedValue(name: "nothing", user: "node of 'y'")) {
            try Models.read(Models.model([relu("nothing", "y")]))
        }
        #expect(throws: NetworkError.undefinedValue(name: "y", user: "the output list")) {
            try Models.read(Models.model([relu("x", "z")]))
        }
        // Nodes may come in any order.
        #expect(throws: Never.self) { try Models.read(Models.model([relu("a", "y"), relu("x", "a")])) }
    }

    @Test func everythingUnsupportedIsListedAtOnce() throws {
        var subgraph = Models.node("If", ["x"], ["c"], name: "branch")
        subgraph.attribute = [Models.attribute("then_branch", .graph)]
        let model = Models.model([
            Models.node("NonMaxSuppression", ["x"], ["a"], name: "first"),
            Models.node("Gelu", ["x"], ["b"], domain: "com.microsoft"), subgraph,
            Models.node("Relu", ["x"], ["y"], [Models.integer("mystery", 1)]),
        ])
        do {
            _ = try Models.read(model)
            Issue.record("it was read")
        } catch ONNXError.unsupported(_, let items) {
            #expect(items.count == 4)
            for (item, text) in zip(items, ["NonMaxSuppression", "com.microsoft", "If", "mystery"]) {
                #expect(item.contains(text))
            }
        }
    }

    /// Small files that ask for much: refused, or left for a run that may never come.
    @Test func bombs() throws {
        let huge = Models.integerTensor("s", [1_000_000, 1_000_000])
        let large = Models.integerTensor("s", [1 << 16, 1 << 16])
        let one = Models.floats("one", [1], [1])
        func network(_ nodes: [NodeProto], _ tensors: [TensorProto]) throws -> Network {
            try Models.read(Models.model(nodes, tensors, outputs: [Models.value("y", [nil])]))
        }
        #expect(throws: NetworkError.self) {
            try network([Models.node("ConstantOfShape", ["s"], ["y"])], [huge]).folded()
        }
        #expect(throws: NetworkError.self) {
            try network([Models.node("Expand", ["one", "s"], ["y"])], [one, huge]).folded()
        }
        #expect(throws: NetworkError.self) {
            try network(
                [Models.node("Pad", ["one", "p"], ["y"])], [one, Models.integerTensor("p", [0, 1_000_000_000_000])]
            )
            .folded()
        }
        let left = try network([Models.node("Expand", ["one", "s"], ["y"])], [one, large]).folded()
        #expect(left.network.nodes.count == 1 && left.network.constants.count == 2)
        // A vector joined to itself, again and again.
        var doubling = [Models.node("Shape", ["x"], ["v0"])]
        for index in 0..<60 {
            doubling.append(
                Models.node("Concat", ["v\(index)", "v\(index)"], ["v\(index + 1)"], [Models.integer("axis", 0)]))
        }
        doubling.append(Models.node("ReduceMean", ["v60"], ["y"]))
        #expect(throws: NetworkError.self) { try network(doubling, []).folded() }
        // A file may not become a large network by many steps either.
        var many: [NodeProto] = []
        for index in 0..<200 { many.append(Models.node("Expand", ["one", "m"], ["e\(index)"])) }
        many.append(Models.node("Sum", (0..<200).map { "e\($0)" }, ["y"]))
        let folded = try network(many, [one, Models.integerTensor("m", [1 << 20])]).folded().network
        #expect(folded.constants.values.reduce(0) { $0 + $1.shape.elementCount } < 1 << 23)
        // Axes without end.
        var deep = [Models.node("Unsqueeze", ["x", "axes"], ["d0"])]
        for index in 0..<100 { deep.append(Models.node("Unsqueeze", ["d\(index)", "axes"], ["d\(index + 1)"])) }
        deep.append(Models.node("Relu", ["d100"], ["y"]))
        #expect(throws: NetworkError.self) {
            try network(deep, [Models.integerTensor("axes", (0..<40).map { Int64($0) })]).folded()
        }
        // A node with more inputs than a stack has room for.
        let wide = (0..<20_000).map { _ in "one" }
        #expect(throws: Never.self) {
            _ = try network([Models.node("Concat", wide, ["y"], [Models.integer("axis", 0)])], [one]).simplified()
        }
    }

    @Test func longGraphsTakeLinearTime() throws {
        var nodes: [NodeProto] = []
        var tensors = [Models.floats("w", [2, 2, 1, 1], [1, 0, 0, 1]), Models.floats("g", [2], [1, 1])]
        let length = 12_000
        for index in 0..<length {
            let (input, output) = (index == 0 ? "x" : "v\(index)", "v\(index + 1)")
            switch index % 4 {
            case 0: nodes.append(Models.node("Conv", [input, "w"], [output]))
            case 1: nodes.append(Models.node("BatchNormalization", [input, "g", "g", "g", "g"], [output]))
            case 2: nodes.append(Models.node("Identity", [input], [output]))
            default:
                nodes.append(Models.node("Constant", [], ["k\(index)"], [Models.float("value_float", 1)]))
                nodes.append(Models.node("Add", [input, "k\(index)"], [output]))
            }
        }
        nodes.append(Models.node("Identity", ["v\(length)"], ["y"]))
        tensors.append(Models.floats("unused", [0], []))
        let network = try Models.read(Models.model(nodes, tensors)).simplified()
        #expect(network.nodes.count == length / 2)
        #expect(Set(network.nodes.map(\.name)).count == network.nodes.count)
        // Backwards: the order must be found.
        let backwards = try Models.read(Models.model(nodes.reversed(), tensors))
            .folded().network
        #expect(backwards.nodes.count == length + 1)
    }
}
