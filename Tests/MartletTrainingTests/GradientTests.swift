import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletTraining

/// Gradients against derivatives by dual numbers in double precision, and those against finite differences.
@Suite struct GradientTests {
    /// The blocks of ``NetworkMaker`` that can be differentiated; the others round, choose or repeat.
    private static let blocks = Array(0..<NetworkMaker.blockCount).filter { ![21, 29, 31].contains($0) }

    /// A loss that every output has a part in.
    private func coefficients(_ count: Int) -> [Double] { (0..<count).map { Double(($0 * 7 + 3) % 11) / 11 - 0.4 } }

    private func loss(_ output: TensorView, _ gradient: MutableTensorView) -> Double {
        let (y, g) = (output.elements(of: Float.self), gradient.elements(of: Float.self))
        let factors = coefficients(y.count)
        for index in factors.indices { g[index] = Float(factors[index]) }
        return zip(y, factors).reduce(0) { $0 + Double($1.0) * $1.1 }
    }

    /// Compares the derivative along a random direction of each parameter by itself.
    private func compare(
        _ network: Network, _ inputs: [String: Tensor], momentum: Float? = nil, limit: Double = 1e-4,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let differentiable = try DifferentiableNetwork(
            network, momentum: momentum, pool: ThreadPool(threadCount: 2))
        var dual = try DualNetwork(differentiable.network, shapes: inputs.mapValues(\.shape))
        dual.usesBatchStatistics = momentum != nil
        _ = try differentiable.differentiate(inputs, loss: loss)
        var generator = SeededGenerator(seed: 9)
        func value(_ directions: [String: [Double]], step: Double = 0) throws -> Dual {
            let y = try dual.output(inputs, directions: directions, step: step)
            return zip(y, coefficients(y.count)).reduce(Dual(0)) { $0 + $1.0 * Dual($1.1) }
        }
        var all: [String: [Double]] = [:]
        // Of many parameters, some: dual numbers take their time.
        let parameters = differentiable.store.parameters
        let step = max(1, (parameters.count + 3) / 6)
        for (index, parameter) in parameters.enumerated() {
            let direction = (0..<parameter.range.count).map { _ in Bool.random(using: &generator) ? 1.0 : -1 }
            all[parameter.name] = direction
            if index % step != 0 { continue }
            let gradient = try differentiable.store.gradientTensor(of: parameter.name).elements(Float.self)
            let found = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * $1.1 }
            let size = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            let expected = try value([parameter.name: direction]).slope
            #expect(
                abs(found - expected) <= limit * max(size, 1e-3),
                "\(parameter.name) \(parameter.shape): \(found), by dual numbers \(expected)",
                sourceLocation: sourceLocation)
        }
        // The dual numbers themselves, against central differences.
        let difference = (try value(all, step: 1e-6).value - value(all, step: -1e-6).value) / 2e-6
        let slope = try value(all).slope
        #expect(abs(difference - slope) <= 1e-6 * max(abs(slope), 1), sourceLocation: sourceLocation)
    }

    @Test(arguments: blocks) func everyOperation(block: Int) throws {
        var maker = NetworkMaker(seed: UInt64(block + 1))
        // Something to learn before it, or there is no gradient through it.
        maker.current = try maker.sameConvolution(maker.current)
        try maker.block(block)
        let network = try maker.finished()
        try compare(network, ["input": maker.images(batch: 2)])
    }

    /// Several blocks one after the other, with values that have several readers.
    @Test(arguments: 0..<3) func deepNetworks(seed: Int) throws {
        var maker = NetworkMaker(seed: UInt64(100 + seed))
        maker.current = try maker.sameConvolution(maker.current)
        for block in [4, 8, 5, 19] where maker.height >= 4 && maker.width >= 4 {
            try maker.block((block + seed) % 6)
            try maker.block(block)
        }
        let network = try maker.finished()
        try compare(network, ["input": maker.images(batch: 2)])
    }

    /// A convolution, a function of what it puts out, and a classifier.
    private func network(
        _ image: [Int], _ convolutions: [(Convolution, weight: [Int])], batch: Int = 2, between: [Operator] = []
    ) throws -> (network: Network, inputs: [String: Tensor]) {
        var generator = SeededGenerator(seed: 5)
        func random(_ extents: [Int], scale: Float = 1) throws -> Tensor {
            let shape = try Shape(extents)
            return try Tensor(generator.floats(shape.elementCount).map { scale * $0 }, shape: shape)
        }
        var network = Network(
            name: "test",
            inputs: [.init(name: "x", type: TensorType(.float32, [.symbol("N")] + image.map { .fixed($0) }))],
            outputs: [.init(name: "y", type: TensorType(.float32, [.symbol("N"), .unknown]))], nodes: [])
        var current = "x"
        func add(_ operation: Operator, _ inputs: [String?]) {
            let output = "v\(network.nodes.count)"
            network.nodes.append(
                Node(name: "n\(network.nodes.count)", operation: operation, inputs: inputs, outputs: [output]))
            current = output
        }
        var channels = image[0]
        for (index, (convolution, weight)) in convolutions.enumerated() {
            network.constants["w\(index)"] = try random(weight, scale: 0.3)
            network.constants["b\(index)"] = try random([weight[0]])
            add(.convolution(convolution), [current, "w\(index)", "b\(index)"])
            for operation in between { add(operation, [current]) }
            channels = weight[0]
        }
        add(.globalAveragePool, [current])
        add(.flatten(axis: 1), [current])
        network.constants["classifier"] = try random([3, channels])
        add(.gemm(Gemm(transposesB: true)), [current, "classifier"])
        network.nodes[network.nodes.count - 1].outputs = ["y"]
        return (network, ["x": try random([batch] + image)])
    }

    private func window(_ kernel: [Int], _ padding: [Int], strides: [Int]? = nil, dilations: [Int]? = nil) -> Window {
        Window(
            kernel: kernel, strides: strides, dilations: dilations,
            padding: .explicit(before: padding, after: padding))
    }

    /// Enough channels for whole blocks and some to spare: the vector kernels, Winograd's filtering among them.
    @Test(arguments: [
        ([3, 3], [1, 1], [1, 1]), ([3, 3], [1, 1], [2, 2]), ([1, 1], [0, 0], [2, 2]), ([1, 3], [0, 1], [1, 1]),
    ])
    func wideConvolutions(kernel: [Int], padding: [Int], strides: [Int]) throws {
        let wide = Convolution(window: window(kernel, padding, strides: strides))
        let narrow = Convolution(window: window([1, 1], [0, 0]))
        let (network, inputs) = try network(
            [2, 5, 6], [(narrow, [18, 2, 1, 1]), (wide, [17, 18] + kernel)], batch: 1,
            between: [.activation(.leakyRelu(slope: 0.5))])
        try compare(network, inputs)
    }

    @Test func oneAndThreeAxes() throws {
        let line = Convolution(window: window([3], [1], strides: [2]))
        var (network, inputs) = try network([4, 11], [(line, [6, 4, 3]), (line, [5, 6, 3])])
        try compare(network, inputs)
        let volume = Convolution(window: window([2, 1, 3], [0, 0, 1]))
        (network, inputs) = try self.network([2, 4, 3, 5], [(volume, [3, 2, 2, 1, 3]), (volume, [2, 3, 2, 1, 3])])
        try compare(network, inputs)
    }

    /// As CP makes of a convolution.
    @Test func depthwiseLines() throws {
        let pointwise = Convolution(window: window([1, 1], [0, 0]))
        let down = Convolution(window: window([3, 1], [1, 0], strides: [2, 1]), groups: 6)
        let across = Convolution(window: window([1, 3], [0, 1], strides: [1, 2]), groups: 6)
        let (network, inputs) = try network(
            [3, 9, 8],
            [(pointwise, [6, 3, 1, 1]), (down, [6, 1, 3, 1]), (across, [6, 1, 1, 3]), (pointwise, [4, 6, 1, 1])])
        try compare(network, inputs)
    }

    @Test func constantPadding() throws {
        let convolution = Convolution(window: window([2, 2], [0, 0]))
        var (network, inputs) = try network([2, 5, 6], [(convolution, [3, 2, 2, 2]), (convolution, [3, 3, 2, 2])])
        network.constants["pads"] = try Tensor([Int64(0), 0, 1, -1, 0, 0, -1, 2], shape: [8])
        network.nodes.insert(
            Node(name: "pad", operation: .pad(.constant), inputs: ["v0", "pads"], outputs: ["padded"]), at: 1)
        network.nodes[2].inputs[0] = "padded"
        try compare(network, inputs)
    }

    /// Two layers of one weight, whose gradients add up.
    @Test func sharedWeight() throws {
        let convolution = Convolution(window: window([3, 3], [1, 1]))
        var (network, inputs) = try network([3, 5, 6], [(convolution, [3, 3, 3, 3]), (convolution, [3, 3, 3, 3])])
        network.nodes[1].inputs[1] = "w0"
        try compare(network, inputs)
    }

    @Test func batchStatistics() throws {
        var maker = NetworkMaker(seed: 3)
        maker.current = try maker.normalized(try maker.sameConvolution(maker.current))
        maker.current = maker.add(.activation(.relu), [maker.current])
        maker.current = try maker.normalized(try maker.sameConvolution(maker.current, bias: false))
        let network = try maker.finished()
        try compare(network, ["input": maker.images(batch: 3)], momentum: 0.1)
    }

    /// The statistics that the network holds go a tenth of the way to those of the batch.
    @Test func runningStatistics() throws {
        var network = Network(
            name: "test",
            inputs: [.init(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(1), .fixed(2), .fixed(1)]))],
            outputs: [.init(name: "y", type: TensorType(.float32, [.symbol("N"), .fixed(1), .fixed(2), .fixed(1)]))],
            nodes: [
                Node(
                    name: "bn", operation: .batchNormalization(epsilon: 0), inputs: ["x", "s", "b", "m", "v"],
                    outputs: ["y"])
            ])
        for (name, value) in [("s", 1), ("b", 0), ("m", 1), ("v", 2)] as [(String, Float)] {
            network.constants[name] = try Tensor([value], shape: [1])
        }
        let differentiable = try DifferentiableNetwork(network, momentum: 0.1, pool: ThreadPool(threadCount: 1))
        let y = try differentiable.outputs(["x": Tensor([1 as Float, 2, 3, 6], shape: [2, 1, 2, 1])])
        // Mean 3, variance 3.5, without bias 14 / 3.
        let gain = 1 / Float(3.5).squareRoot()
        #expect(relativeDifference(try y[0].elements(Float.self), [-2, -1, 0, 3].map { Double($0 * gain) }) < 1e-6)
        let learned = try differentiable.learned()
        #expect(try abs(#require(learned.constants["m"]).elements(Float.self)[0] - 1.2) < 1e-6)
        #expect(try abs(#require(learned.constants["v"]).elements(Float.self)[0] - (1.8 + 1.4 / 3)) < 1e-6)
    }

    @Test func threadsChangeNoBit() throws {
        let convolution = Convolution(window: window([3, 3], [1, 1]))
        let strided = Convolution(window: window([3, 3], [1, 1], strides: [2, 2]))
        let (network, inputs) = try network(
            [3, 12, 12], [(convolution, [20, 3, 3, 3]), (convolution, [20, 20, 3, 3]), (strided, [20, 20, 3, 3])],
            batch: 5, between: [.activation(.relu)])
        let results = try [1, 2, 3, 7].map { count in
            let differentiable = try DifferentiableNetwork(network, pool: ThreadPool(threadCount: count))
            _ = try differentiable.differentiate(inputs, loss: loss)
            return try differentiable.store.parameters.map {
                try differentiable.store.gradientTensor(of: $0.name)
            }
        }
        for result in results { #expect(result == results[0]) }
        #expect(results[0].contains { tensor in tensor.withElements(of: Float.self) { $0.contains { $0 != 0 } } })
    }

    @Test func whatCannotBeDifferentiatedSaysSo() throws {
        var maker = NetworkMaker(seed: 1)
        maker.current = try maker.sameConvolution(maker.current)
        maker.current = maker.add(.pad(.reflect), [maker.current, try maker.integers([0, 0, 1, 1, 0, 0, 1, 1])])
        maker.height += 2
        maker.width += 2
        let inputs = ["input": try maker.images(batch: 1)]
        let differentiable = try DifferentiableNetwork(maker.finished(), pool: ThreadPool(threadCount: 1))
        #expect(throws: NetworkError.self) { _ = try differentiable.differentiate(inputs, loss: loss) }
        #expect(throws: NetworkError.self) { _ = try differentiable.outputs([:]) }
    }
}
