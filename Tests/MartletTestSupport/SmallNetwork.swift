import MartletNetworks
import MartletTensors

/// Networks for tests, with random weights of a seed.
public enum SmallNetwork {
    /// A residual classifier of `[N, channels, 12, 12]`: a first convolution, two of 3x3 with a sum around them, one of
    /// stride 2, a pointwise one, global pooling and a fully connected layer with `classes` outputs.
    public static func residual(seed: UInt64 = 1, channels: Int = 3, classes: Int = 4) throws -> Network {
        var builder = NetworkBuilder(seed: seed)
        let stem = try builder.convolution("stem", "input", outputs: 8, inputs: channels, kernel: [3, 3], padding: 1)
        let a = builder.relu("stem.relu", stem)
        let b = try builder.convolution("block.1", a, outputs: 8, inputs: 8, kernel: [3, 3], padding: 1)
        let c = builder.relu("block.1.relu", b)
        let d = try builder.convolution("block.2", c, outputs: 8, inputs: 8, kernel: [3, 3], padding: 1)
        let e = builder.node("block.sum", .arithmetic(.add), [d, a])
        let f = builder.relu("block.relu", e)
        let g = try builder.convolution(
            "down", f, outputs: 12, inputs: 8, kernel: [3, 3], stride: 2, padding: 1)
        let h = builder.relu("down.relu", g)
        let i = try builder.convolution("point", h, outputs: 12, inputs: 12, kernel: [1, 1])
        let j = builder.node("pool", .globalAveragePool, [builder.relu("point.relu", i)])
        let k = builder.node("flatten", .flatten(axis: 1), [j])
        let weight = try builder.constant("fc.weight", [classes, 12])
        let bias = try builder.constant("fc.bias", [classes])
        let logits = builder.node("fc", .gemm(Gemm(transposesB: true)), [k, weight, bias])
        return builder.network(
            input: TensorType(.float32, [.symbol("N"), .fixed(channels), .fixed(12), .fixed(12)]), output: logits,
            type: TensorType(.float32, [.symbol("N"), .fixed(classes)]))
    }
}

/// Puts networks together node by node.
public struct NetworkBuilder {
    /// The source of every random choice.
    public var generator: SeededGenerator
    /// What has been added.
    public private(set) var nodes: [Node] = []
    /// Its constants.
    public var constants: [String: Tensor] = [:]

    /// A builder whose weights follow from a seed.
    public init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// Adds a constant of small random numbers and returns its name.
    public mutating func constant(_ name: String, _ extents: [Int]) throws -> String {
        let shape = try Shape(extents)
        let fan = max(1, shape.elementCount / max(extents.first ?? 1, 1))
        let scale = 1.5 / Float(fan).squareRoot()
        constants[name] = try Tensor(generator.floats(shape.elementCount).map { $0 * scale }, shape: shape)
        return name
    }

    /// Adds a node with one output, named after it, and returns that.
    public mutating func node(_ name: String, _ operation: Operator, _ inputs: [String?]) -> String {
        nodes.append(Node(name: name, operation: operation, inputs: inputs, outputs: [name + ".output"]))
        return name + ".output"
    }

    /// Adds a ReLU.
    public mutating func relu(_ name: String, _ input: String) -> String { node(name, .activation(.relu), [input]) }

    /// Adds a convolution with bias.
    public mutating func convolution(
        _ name: String, _ input: String, outputs: Int, inputs: Int, kernel: [Int], stride: Int = 1, padding: Int = 0,
        dilation: Int = 1, groups: Int = 1
    ) throws -> String {
        let weight = try constant(name + ".weight", [outputs, inputs / groups] + kernel)
        let bias = try constant(name + ".bias", [outputs])
        func all(_ value: Int) -> [Int] { [Int](repeating: value, count: kernel.count) }
        let window = Window(
            kernel: kernel, strides: all(stride), dilations: all(dilation),
            padding: .explicit(before: all(padding), after: all(padding)))
        return node(name, .convolution(Convolution(window: window, groups: groups)), [input, weight, bias])
    }

    /// The network of what was added.
    public func network(input: TensorType, output: String, type: TensorType) -> Network {
        Network(
            name: "small", inputs: [.init(name: "input", type: input)], outputs: [.init(name: output, type: type)],
            nodes: nodes, constants: constants)
    }
}
