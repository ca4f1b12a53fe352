import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletImages
@testable import MartletTraining

/// Grey images of 6x6 pixels, bright on the left, on the right or nowhere, with noise.
private struct Halves: DataSet {
    var count: Int
    var labelSource = LabelSource.stated
    var path: String { "halves" }
    var description: String { "halves" }
    var classNames: [String]? { nil }

    func label(at index: Int) -> Int? { labelSource == .none ? nil : index % 3 }
    func name(at index: Int) -> String { "image \(index)" }
    func sample(at index: Int) throws -> Sample {
        var generator = SeededGenerator(seed: UInt64(index))
        let pixels = (0..<36).map { place -> UInt8 in
            let isBright = index % 3 == (place % 6 < 3 ? 0 : 1)
            return UInt8(generator.integer(0...120) + (isBright ? 80 : 0))
        }
        return Sample(
            image: try Image(width: 6, height: 6, channels: 1, pixels: pixels), label: label(at: index),
            name: name(at: index))
    }
    func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        try sample(at: index).image.pixels.withUnsafeBytes(body)
    }
}

@Suite struct TrainerTests {
    private struct Stop: Error {}

    /// A convolution, batch normalisation, ReLU, and a classifier over all pixels.
    private func network(softmax: Bool = false) throws -> Network {
        var generator = SeededGenerator(seed: 1)
        var network = Network(
            name: "small",
            inputs: [
                .init(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(1), .fixed(6), .fixed(6)]))
            ],
            outputs: [.init(name: softmax ? "p" : "y", type: TensorType(.float32, [.symbol("N"), .fixed(3)]))],
            nodes: [
                Node(
                    name: "conv",
                    operation: .convolution(Convolution(window: Window(kernel: [3, 3], padding: .sameUpper))),
                    inputs: ["x", "w"], outputs: ["a"]),
                Node(
                    name: "bn", operation: .batchNormalization(epsilon: 1e-5), inputs: ["a", "s", "b", "m", "v"],
                    outputs: ["c"]),
                Node(name: "relu", operation: .activation(.relu), inputs: ["c"], outputs: ["r"]),
                Node(name: "flat", operation: .flatten(axis: 1), inputs: ["r"], outputs: ["f"]),
                Node(name: "fc", operation: .gemm(Gemm(transposesB: true)), inputs: ["f", "k", "o"], outputs: ["y"]),
            ])
        if softmax {
            network.nodes.append(
                Node(name: "softmax", operation: .softmax(Softmax(axis: 1)), inputs: ["y"], outputs: ["p"]))
        }
        if !softmax {
            // As exporters write a constant that two share.
            network.nodes.insert(Node(name: "o", operation: .identity, inputs: ["shared"], outputs: ["o"]), at: 0)
        }
        for (name, extents) in [("w", [4, 1, 3, 3]), ("k", [3, 144])] {
            let shape = try Shape(extents)
            network.constants[name] = try Tensor(generator.floats(shape.elementCount).map { $0 / 4 }, shape: shape)
        }
        for (name, value, count) in [
            ("s", 1, 4), ("b", 0, 4), ("m", 0, 4), ("v", 1, 4), (softmax ? "o" : "shared", 0, 3),
        ]
            as [(String, Float, Int)]
        {
            network.constants[name] = try Tensor([Float](repeating: value, count: count), shape: Shape([count]))
        }
        return network
    }

    private var preprocessing: Preprocessing {
        get throws { try Preprocessing(scale: 1.0 / 255, mean: [0.3], standardDeviation: [0.2], channels: .grey) }
    }

    private func options(
        anew: Bool = false, rates: [Double] = [0.02], epochs: Int = 3
    ) -> TrainingOptions {
        var options = TrainingOptions()
        options.startsAnew = anew
        options.optimization = anew ? .sgd : .adam
        options.learningRates = rates
        options.epochs = epochs
        options.batchSize = 10
        options.heldBack = 0.2
        // Mirrored, left is right.
        options.augmentation = Augmentation(mirrors: false, shift: 1)
        return options
    }

    private func trainer(
        _ options: TrainingOptions, threads: Int = 2, network: Network? = nil, teacher: Network? = nil,
        data: Halves = Halves(count: 100)
    ) throws -> Trainer {
        try Trainer(
            network ?? self.network(), data: data, preprocessing: preprocessing, teacher: teacher, options: options,
            pool: ThreadPool(threadCount: threads))
    }

    @Test(arguments: [true, false]) func learns(anew: Bool) throws {
        let start = anew ? try network() : try network(softmax: true).simplified()
        let (network, result) = try trainer(options(anew: anew, epochs: 4), network: start).run()
        let last = try #require(result.epochs.last)
        #expect(try #require(last.heldBackAccuracy) >= 0.95)
        #expect(try #require(last.heldBackLoss) < 0.4)
        #expect(result.epochs.count == 4)
        #expect(try network.validated().nodes == start.simplified().nodes || anew)
        #expect(network.constants["w"] != start.constants["w"])
        #expect(network.nodes.count == 5 || !anew)
    }

    @Test func sameBitsForAnyNumberOfThreads() throws {
        let options = options(anew: true)
        let networks = try [1, 2, 5].map { try trainer(options, threads: $0).run().network }
        #expect(networks[0] == networks[1] && networks[0] == networks[2])
        var other = options
        other.seed = 1
        #expect(try trainer(other).run().network != networks[0])
    }

    /// Interrupted in the middle of a pass, within either learning rate, and gone on with.
    @Test(arguments: [5, 11, 16, 31]) func resumes(at step: Int) throws {
        let folder = try TemporaryFolder()
        let options = options(anew: true, rates: [0.005, 0.02], epochs: 2)
        let whole = try trainer(options).run()
        let path = folder.file("checkpoint")
        #expect(throws: Stop.self) {
            _ = try trainer(options).run(checkpoint: path) { if $0.step == step { throw Stop() } }
        }
        let rest = try trainer(options, threads: 1).run(checkpoint: path, resumes: true)
        #expect(rest.network == whole.network)
        #expect(rest.result.epochs == whole.result.epochs)
        #expect(rest.result.learningRate == whole.result.learningRate)
        var other = options
        other.weightDecay = 0.1
        #expect(throws: TrainingError.otherCheckpoint(path: path)) {
            _ = try trainer(other).run(checkpoint: path, resumes: true)
        }
    }

    @Test func theBestRateIsKept() throws {
        let result = try trainer(options(rates: [1e-7, 0.02, 1e30])).run().result
        #expect(result.learningRate == 0.02)
        #expect(Set(result.epochs.map(\.learningRate)) == [1e-7, 0.02, 1e30])
        #expect(throws: TrainingError.diverged) { _ = try trainer(options(rates: [1e30])).run() }
    }

    /// Without labels: what the teacher says is right.
    @Test func learnsFromATeacher() throws {
        let teacher = try trainer(options(anew: true, epochs: 4), network: network(softmax: true)).run().network
        let data = Halves(count: 100, labelSource: .none)
        let result = try trainer(options(), teacher: teacher, data: data).run().result
        #expect(try #require(result.epochs.last?.heldBackAccuracy) >= 0.9)
        #expect(throws: TrainingError.noLabels(data: "halves")) { _ = try trainer(options(), data: data) }
    }

    /// From layers alone, without labels: a network that was disturbed finds back to its teacher.
    @Test func learnsTheLayersOfATeacher() throws {
        let teacher = try trainer(options(anew: true, epochs: 4), network: network(softmax: true)).run().network
        var disturbed = try teacher.simplified()
        var generator = SeededGenerator(seed: 2)
        for (name, tensor) in disturbed.constants.sorted(by: { $0.key < $1.key }) where tensor.shape.rank > 1 {
            let values = try tensor.elements(Float.self)
            let noise = generator.floats(values.count)
            disturbed.constants[name] = try Tensor(zip(values, noise).map { $0 + $1 / 4 }, shape: tensor.shape)
        }
        var options = options(epochs: 8)
        options.objective = .layers
        let data = Halves(count: 100, labelSource: .none)
        func run(_ threads: Int) throws -> (network: Network, result: TrainingResult) {
            try trainer(options, threads: threads, network: disturbed, teacher: teacher, data: data).run()
        }
        let (network, result) = try run(1)
        let (before, after) = (try #require(result.before), try #require(result.epochs.last))
        #expect(after.loss < 0.1 * (try #require(result.epochs.first)).loss)
        #expect(try #require(after.heldBackLoss) < before.loss)
        #expect(result.after?.loss == after.heldBackLoss)
        #expect(try #require(after.heldBackAccuracy) >= 0.95)
        #expect(try run(3).network == network)
        #expect(throws: TrainingError.noTeacher) { _ = try trainer(options) }
        let stranger = Network(
            name: "stranger", inputs: disturbed.inputs, outputs: [.init(name: "s", type: disturbed.outputs[0].type)],
            nodes: disturbed.nodes.map { node in
                var node = node
                node.inputs = node.inputs.map { $0.map { disturbed.constants[$0] == nil && $0 != "x" ? $0 + "'" : $0 } }
                node.outputs = node.outputs.map { $0.map { $0 == disturbed.outputs[0].name ? "s" : $0 + "'" } }
                return node
            }, constants: disturbed.constants)
        #expect(throws: TrainingError.noLayersInCommon(teacher: "stranger")) {
            _ = try trainer(options, network: disturbed, teacher: stranger, data: data)
        }
    }

    /// A learning rate that makes a good network bad changes nothing.
    @Test func whatIsNotBetterIsNotKept() throws {
        let good = try trainer(options(anew: true, epochs: 4)).run().network.simplified()
        let (network, result) = try trainer(options(rates: [10]), network: good).run()
        #expect(result.learningRate == nil)
        let (before, last) = (try #require(result.before), try #require(result.epochs.last))
        #expect(try #require(last.heldBackLoss) > before.loss)
        #expect(result.after == before)
        #expect(network.constants["k"] == good.constants["k"])
    }

    @Test func whatCannotBegin() throws {
        var options = options(rates: [1, 2])
        options.heldBack = 0
        #expect(throws: TrainingError.nothingHeldBack) { _ = try trainer(options) }
        options.learningRates = []
        #expect(throws: TrainingError.nothingToDo) { _ = try trainer(options) }
        options.learningRates = [1]
        options.epochs = 0
        #expect(throws: TrainingError.nothingToDo) { _ = try trainer(options) }
    }
}
