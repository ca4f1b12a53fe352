import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct ExecutorTests {
    /// x `[N, 2, 4, 4]` -> convolution "first" -> relu -> flatten -> gemm "last" -> y `[N, 3]`.
    private func small(_ generator: inout SeededGenerator) throws -> Network {
        let window = Window(kernel: [3, 3], padding: .sameUpper)
        return Network(
            name: "small",
            inputs: [.init(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(2), .fixed(4), .fixed(4)]))],
            outputs: [.init(name: "y", type: TensorType(.float32, [.symbol("N"), .fixed(3)]))],
            nodes: [
                Node(
                    name: "first", operation: .convolution(Convolution(window: window)), inputs: ["x", "w1"],
                    outputs: ["a"]),
                Node(name: "relu", operation: .activation(.relu), inputs: ["a"], outputs: ["b"]),
                Node(name: "", operation: .flatten(axis: 1), inputs: ["b"], outputs: ["c"]),
                Node(name: "", operation: .gemm(Gemm(transposesB: true)), inputs: ["c", "w2", "bias"], outputs: ["y"]),
            ],
            constants: [
                "w1": try generator.tensor([2, 2, 3, 3]), "w2": try generator.tensor([3, 32]),
                "bias": try generator.tensor([3]),
            ])
    }

    /// The caller's tensor is read where it lies, each time anew; with an observer, or as an output too, it is copied.
    @Test func runsDoNotRememberInputs() throws {
        var generator = SeededGenerator(seed: 3)
        var network = try small(&generator)
        let executor = try Executor(network: network, pool: pools[0])
        network.outputs.append(.init(name: "x", type: TensorType(.float32, [])))
        let copying = try Executor(network: network, pool: pools[0])
        let inputs = try (0..<3).map { _ in try generator.tensor([1, 2, 4, 4]) }
        let expected = try inputs.map { try Executor(network: network, pool: pools[0]).run(["x": $0])["y"] }
        for turn in [0, 1, 0, 2] {
            let x = inputs[turn]
            #expect(try executor.run(["x": x])["y"] == expected[turn])
            let log = InputLog()
            let next = inputs[(turn + 1) % 3]
            let observed = try executor.run(
                ["x": next], observing: Observer { if $0 == "first" { log.elements = Array($1.elements()) } })
            let seen = try next.floats
            #expect(observed["y"] == expected[(turn + 1) % 3] && log.elements == seen)
            let both = try copying.run(["x": x])
            #expect(both["y"] == expected[turn] && both["x"] == x)
        }
    }

    private final class InputLog: @unchecked Sendable { var elements: [Float] = [] }

    @Test func inputsAreHeldToTheirDeclaration() throws {
        var generator = SeededGenerator(seed: 1)
        let executor = try Executor(network: small(&generator), pool: pools[0])
        let x = try generator.tensor([1, 2, 4, 4])
        let expected = "float32 [N, 2, 4, 4]"
        #expect(throws: NetworkError.inputMismatch(name: "x", expected: expected, found: "missing")) {
            try executor.run([:])
        }
        #expect(throws: NetworkError.inputMismatch(name: "x", expected: expected, found: "float32 [1, 2, 4, 5]")) {
            try executor.run(["x": generator.tensor([1, 2, 4, 5])])
        }
        #expect(throws: NetworkError.inputMismatch(name: "x", expected: expected, found: "float32 [2, 4, 4]")) {
            try executor.run(["x": generator.tensor([2, 4, 4])])
        }
        #expect(throws: NetworkError.inputMismatch(name: "x", expected: expected, found: "int32 [1, 2, 4, 4]")) {
            try executor.run(["x": Tensor(zeros: [1, 2, 4, 4], elementType: .int32)])
        }
        #expect(throws: NetworkError.inputMismatch(name: "z", expected: "only 'x'", found: "given")) {
            try executor.run(["x": x, "z": x])
        }
        #expect(throws: NetworkError.inputMismatch(name: "x", expected: expected, found: "missing")) {
            try executor.peakBytes(["z": x.shape])
        }
        #expect(try executor.run(["x": x])["y"]?.shape == [1, 3])
        #expect(try executor.run(["x": Tensor(zeros: [0, 2, 4, 4], elementType: .float32)])["y"]?.shape == [0, 3])
    }

    @Test(arguments: [1, 2, 5], pools)
    func fixedToAShapeItRunsTheSame(images: Int, pool: ThreadPool) throws {
        var generator = SeededGenerator(seed: 2)
        let network = try small(&generator)
        let x = try generator.tensor([images, 2, 4, 4])
        let fixed = try Executor(network: network, fixedTo: ["x": x], pool: pool)
        #expect(fixed.network.constants.isEmpty)
        #expect(try fixed.run(["x": x]) == Executor(network: network, pool: pool).run(["x": x]))
        // A batch is run image by image where there are images for all threads, and then another batch is as good.
        if images < 2 || images < pool.threadCount {
            #expect(
                throws: NetworkError.inputMismatch(name: "x", expected: "[\(images), 2, 4, 4]", found: "[7, 2, 4, 4]")
            ) {
                try fixed.run(["x": generator.tensor([7, 2, 4, 4])])
            }
        }
        #expect(throws: NetworkError.self) { try fixed.run(["x": generator.tensor([images, 2, 4, 5])]) }
        #expect(throws: NetworkError.self) { try Executor(network: network, fixedTo: [:], pool: pool) }
    }

    @Test func neuralOperationsAreSinglePrecision() throws {
        let x = try Tensor(zeros: [1, 1, 3, 3], elementType: .float64)
        let weight = try Tensor(zeros: [1, 1, 1, 1], elementType: .float64)
        let error = #expect(throws: NetworkError.self) {
            try run(.convolution(Convolution(window: Window(kernel: [1, 1]))), [x, weight])
        }
        #expect(error?.description.contains("'node'") ?? false)
        #expect(error?.description.contains("float64") ?? false)
    }

    @Test func shapesMayBeInputs() throws {
        let x = try Tensor([Float(1), 2, 3, 4], shape: [4])
        for extents in [[2, 2], [4, 1], [1, -1]] as [[Int64]] {
            let y = try run(.reshape(allowsZero: false), [x, Tensor(extents, shape: [2])])
            #expect(y[0].shape.extents == extents.map { $0 < 0 ? 4 : Int($0) })
        }
    }

    @Test func shapesThatDependOnOtherValuesAreRefused() throws {
        let network = Network(
            name: "data-dependent", inputs: [.init(name: "x", type: TensorType(.float32, [4] as Shape))],
            outputs: [.init(name: "y", type: TensorType(.float32, [.unknown, .unknown]))],
            nodes: [
                Node(name: "cast", operation: .cast(to: .int64), inputs: ["x"], outputs: ["shape"]),
                Node(
                    name: "reshape", operation: .reshape(allowsZero: false), inputs: ["x", "shape"], outputs: ["y"]),
            ])
        let x = try Tensor([Float(1), 1, 2, 2], shape: [4])
        let error = #expect(throws: NetworkError.self) { try Executor(network: network).run(["x": x]) }
        guard case .unsupported = error else {
            Issue.record("\(error as Any)")
            return
        }
    }

    @Test(arguments: [false, true]) func observersSeeWhatGoesIntoEachLayer(fuses: Bool) throws {
        var generator = SeededGenerator(seed: 2)
        let network = try small(&generator)
        var options = Executor.Options()
        options.fuses = fuses
        let executor = try Executor(network: network, pool: pools[1], options: options)
        let x = try generator.tensor([2, 2, 4, 4])
        var seen: [(String, Shape, [Float])] = []
        let all = Observer { seen.append(($0, $1.shape, Array($1.elements(of: Float.self)))) }
        let y = try executor.run(["x": x], observing: all)["y"]
        #expect(seen.map(\.0) == ["first", "y"])
        #expect(seen[0].1 == [2, 2, 4, 4])
        #expect(try seen[0].2 == x.floats)
        // What the last layer was shown gives the network's output.
        let last = try run(
            .gemm(Gemm(transposesB: true)),
            [Tensor(seen[1].2, [2, 32]), network.constants["w2"], network.constants["bias"]])
        #expect(try last[0].floats == y?.floats)
        #expect(seen[1].2.allSatisfy { $0 >= 0 })

        seen = []
        _ = try executor.run(["x": x], observing: Observer(layers: ["y"], observe: all.observe))
        #expect(seen.map(\.0) == ["y"])
        struct Enough: Error {}
        #expect(throws: Enough.self) { try executor.run(["x": x], observing: Observer { _, _ in throw Enough() }) }
        #expect(try executor.run(["x": x])["y"]?.floats == y?.floats)
    }

    @Test func observedInputsSurviveResidualFusion() throws {
        // The sum is fused into the later convolution, and everything that overwrites in place is about.
        var generator = SeededGenerator(seed: 3)
        let convolution = Operator.convolution(Convolution(window: Window(kernel: [1, 1])))
        let network = Network(
            name: "residual",
            inputs: [.init(name: "x", type: TensorType(.float32, [.unknown, .unknown, .unknown, .unknown]))],
            outputs: [.init(name: "y", type: TensorType(.float32, []))],
            nodes: [
                Node(name: "r", operation: .activation(.relu), inputs: ["x"], outputs: ["r"]),
                Node(name: "one", operation: convolution, inputs: ["r", "w"], outputs: ["a"]),
                Node(name: "two", operation: convolution, inputs: ["a", "w"], outputs: ["b"]),
                Node(name: "sum", operation: .arithmetic(.add), inputs: ["a", "b"], outputs: ["s"]),
                Node(name: "t", operation: .activation(.relu), inputs: ["s"], outputs: ["y"]),
            ], constants: ["w": try generator.tensor([3, 3, 1, 1])])
        let x = try generator.tensor([2, 3, 2, 2])
        var seen: [[String: [Float]]] = []
        for fuses in [true, false] {
            var options = Executor.Options()
            options.fuses = fuses
            var inputs: [String: [Float]] = [:]
            let executor = try Executor(network: network, pool: pools[1], options: options)
            _ = try executor.run(["x": x], observing: Observer { inputs[$0] = Array($1.elements(of: Float.self)) })
            seen.append(inputs)
        }
        #expect(seen[0] == seen[1])
        #expect(seen[0].keys.sorted() == ["one", "two"])
        #expect(try seen[0]["one"] == x.floats.map { max($0, 0) })
    }

    @Test func layersHaveNamesOfTheirOwn() {
        func node(_ name: String, _ output: String) -> Node {
            Node(name: name, operation: .identity, inputs: ["x"], outputs: [output])
        }
        let network = Network(
            name: "", inputs: [], outputs: [],
            nodes: [node("a", "1"), node("", "a"), node("b", "2"), node("b", "3"), node("", "4")])
        #expect(network.layerNames == ["a", "a.2", "2", "3", "4"])
    }

    @Test func integersAndBooleansAtRunTime() throws {
        let x = try Tensor([Float(10), 20, 30], shape: [3])
        let indices = try Tensor([Int64(-1), 0], shape: [2])
        #expect(try run(.gather(axis: 0), [x, indices])[0].floats == [30, 10])
        let far = try Tensor([Int64(3)], shape: [1])
        let error = #expect(throws: NetworkError.self) { try run(.gather(axis: 0), [x, far]) }
        #expect(error?.description.contains("'node'") ?? false)
        let same = try run(.equal, [indices, try Tensor([Int64(0)], shape: [1])])[0]
        #expect(try same.elements(Bool.self) == [false, true])
        let parts = try run(.split(axis: 0), [x], outputCount: 2)
        #expect(try parts.map { try $0.floats } == [[10, 20], [30]])
    }

    @Test func outputsMayBeInputsAndConstants() throws {
        let x = try Tensor([Float(1), 2], shape: [2])
        let network = Network(
            name: "pass", inputs: [.init(name: "x", type: TensorType(.float32, [.fixed(2)]))],
            outputs: ["x", "c", "d"].map { .init(name: $0, type: TensorType(.float32, [])) },
            nodes: [Node(name: "", operation: .identity, inputs: ["x"], outputs: ["d"])], constants: ["c": x])
        let results = try Executor(network: network, pool: pools[0]).run(["x": x])
        #expect(try ["x", "c", "d"].map { try results[$0]?.floats } == [[1, 2], [1, 2], [1, 2]])
    }

    @Test func manyShapesAndManyThreads() async throws {
        var generator = SeededGenerator(seed: 4)
        let network = try small(&generator)
        var options = Executor.Options()
        options.planLimit = 2
        let executor = try Executor(network: network, pool: pools[1], options: options)
        let batches = try (1...4).map { try generator.tensor([$0, 2, 4, 4]) }
        let expected = try batches.map { try Executor(network: network, pool: pools[0]).run(["x": $0])["y"]?.floats }
        let failures = await withTaskGroup(of: Int.self) { group in
            for task in 0..<16 {
                group.addTask {
                    let found = try? executor.run(["x": batches[task % 4]])["y"]?.floats
                    return found == expected[task % 4] ? 0 : 1
                }
            }
            return await group.reduce(0, +)
        }
        #expect(failures == 0)
    }

    @Test func constantsFoldedForOneShapeAreNotTakenForAnother() throws {
        // The weight of the product is made from the input's own shape.
        let network = Network(
            name: "shape-made", inputs: [.init(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(2)]))],
            outputs: [.init(name: "y", type: TensorType(.float32, []))],
            nodes: [
                Node(name: "s", operation: .shape(start: 0, end: nil), inputs: ["x"], outputs: ["s"]),
                Node(name: "f", operation: .cast(to: .float32), inputs: ["s"], outputs: ["f"]),
                Node(
                    name: "e", operation: .expand, inputs: ["f", "square"], outputs: ["w"]),
                Node(name: "p", operation: .matMul, inputs: ["x", "w"], outputs: ["y"]),
            ], constants: ["square": try Tensor([Int64(2), 2], shape: [2])])
        let executor = try Executor(network: network, pool: pools[0])
        for count in [1, 3, 1] {
            let x = try Tensor([Float](repeating: 1, count: 2 * count), [count, 2])
            let row: [Float] = [Float(2 * count), 4]
            #expect(try executor.run(["x": x])["y"]?.floats == (0..<count).flatMap { _ in row })
        }
    }
}
