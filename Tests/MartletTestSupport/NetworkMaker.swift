import MartletNetworks
import MartletTensors

/// Makes small networks of random weights, one building block after another, over images `[N, channels, height, width]`.
public struct NetworkMaker {
    /// What has been built.
    public private(set) var nodes: [Node] = []
    /// Its constants.
    public private(set) var constants: [String: Tensor] = [:]
    /// The value that the next block starts from, `[N, channels, height, width]`.
    public var current = "input"
    /// Its extents without the batch.
    public var channels: Int
    public var height: Int
    public var width: Int
    /// The source of every random choice.
    public var generator: SeededGenerator
    private let input: [Int]

    /// An empty network for random images of up to 6 channels.
    public init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        (channels, height, width) = (
            2 * generator.integer(1...3), generator.integer(6...10), generator.integer(6...10)
        )
        input = [channels, height, width]
    }

    /// The shape of a batch of inputs.
    public func inputShape(batch: Int) throws -> Shape { try Shape([batch] + input) }

    /// Random images.
    public mutating func images(batch: Int) throws -> Tensor {
        let shape = try inputShape(batch: batch)
        return try Tensor(generator.floats(shape.elementCount), shape: shape)
    }

    // MARK: Parts

    /// Appends a node and returns the name of its first output.
    @discardableResult
    public mutating func add(_ operation: Operator, _ inputs: [String?], outputs: Int = 1) -> String {
        let names = (0..<outputs).map { "v\(nodes.count).\($0)" }
        nodes.append(Node(name: "n\(nodes.count)", operation: operation, inputs: inputs, outputs: names))
        return names[0]
    }

    /// A constant of random numbers in `range`.
    public mutating func floats(_ extents: [Int], _ range: ClosedRange<Float> = -1...1) throws -> String {
        let shape = try Shape(extents)
        let values = (0..<shape.elementCount).map { _ in Float.random(in: range, using: &generator) }
        return constant(try Tensor(values, shape: shape))
    }

    /// A constant of these integers, a vector.
    public mutating func integers(_ values: [Int]) throws -> String {
        constant(try Tensor(values.map { Int64($0) }, shape: Shape([values.count])))
    }

    /// A constant.
    public mutating func constant(_ tensor: Tensor) -> String {
        let name = "c\(constants.count)"
        constants[name] = tensor
        return name
    }

    /// A scalar.
    public mutating func scalar(_ value: Float) throws -> String { constant(try Tensor([value], shape: [])) }

    /// The network so far with a classifier of five classes behind it. The batch is a symbol.
    public mutating func finished(activation: Activation? = nil) throws -> Network {
        let pooled = add(.globalAveragePool, [current])
        let flat = add(.flatten(axis: 1), [pooled])
        let transposes = Bool.random(using: &generator)
        let weight = try floats(transposes ? [5, channels] : [channels, 5])
        let gemm = Gemm(transposesB: transposes, activation: activation)
        nodes.append(
            Node(
                name: "classifier", operation: .gemm(gemm), inputs: [flat, weight, try floats([5])], outputs: ["logits"]
            ))
        let symbol = Extent.symbol("N")
        return Network(
            name: "random",
            inputs: [.init(name: "input", type: TensorType(.float32, [symbol] + input.map { .fixed($0) }))],
            outputs: [
                .init(name: "logits", type: TensorType(.float32, [symbol, .fixed(5)])),
                .init(
                    name: current,
                    type: TensorType(.float32, [symbol] + [channels, height, width].map { .fixed($0) })),
            ],
            nodes: nodes, constants: constants,
            metadata: [.init(key: "martlet.test", value: "ü \"quoted\""), .init(key: "a", value: "")],
            documentation: "made by a test")
    }

    // MARK: Blocks

    private mutating func window(_ kernel: Int, stride: Int = 1, dilation: Int = 1, _ padding: Window.Padding) -> Window
    {
        Window(
            kernel: [kernel, kernel], strides: [stride, stride], dilations: [dilation, dilation], padding: padding)
    }

    private mutating func moveThrough(_ window: Window, ceilMode: Bool = false) {
        height = window.outputExtent(axis: 0, extent: height, ceilMode: ceilMode)
        width = window.outputExtent(axis: 1, extent: width, ceilMode: ceilMode)
    }

    /// A convolution of random shape; grouped, depthwise, dilated, strided, with any padding.
    public mutating func convolution(activation: Activation? = nil) throws {
        let groups = [1, 1, 2, channels].randomElement(using: &generator) ?? 1
        let outputs = groups * generator.integer(1...max(1, 6 / groups))
        let kernel = generator.integer(1...min(3, height, width))
        let dilation = 2 * kernel - 1 <= min(height, width) ? generator.integer(1...2) : 1
        let paddings: [Window.Padding] = [
            .valid, .sameUpper, .sameLower, .explicit(before: [1, 0], after: [0, 2]),
            .explicit(before: [1, 1], after: [1, 1]),
        ]
        let padding = paddings.randomElement(using: &generator) ?? .valid
        // ONNX Runtime does not stride through a dilated window whose padding is "same".
        let isSame = padding == .sameUpper || padding == .sameLower
        let strides = isSame && dilation > 1 ? 1 : generator.integer(1...2)
        let window = window(kernel, stride: strides, dilation: padding == .valid ? 1 : dilation, padding)
        let weight = try floats([outputs, channels / groups, kernel, kernel])
        let bias = Bool.random(using: &generator) ? try floats([outputs]) : nil
        current = add(
            .convolution(Convolution(window: window, groups: groups, activation: activation)), [current, weight, bias])
        channels = outputs
        moveThrough(window)
    }

    /// A convolution that keeps the shape.
    public mutating func sameConvolution(_ x: String, bias: Bool = true) throws -> String {
        let weight = try floats([channels, channels, 3, 3], -0.3...0.3)
        let window = window(3, .explicit(before: [1, 1], after: [1, 1]))
        return add(
            .convolution(Convolution(window: window)), [x, weight, bias ? try floats([channels]) : nil])
    }

    /// `activation(convolution(x) + x)`, the addition and the activation inside the convolution.
    public mutating func fusedResidual(activation: Activation?) throws {
        let weight = try floats([channels, channels, 3, 3], -0.3...0.3)
        let convolution = Convolution(
            window: window(3, .sameUpper), addsResidual: true, activation: activation)
        let bias = Bool.random(using: &generator) ? try floats([channels]) : nil
        current = add(.convolution(convolution), [current, weight, bias, current])
    }

    /// A residual block of separate nodes; `projects` puts a convolution on the other side too.
    public mutating func residual(projects: Bool) throws {
        let start = current
        let left = try normalized(try sameConvolution(current))
        let right = projects ? try normalized(try sameConvolution(start, bias: false)) : start
        let sum = Bool.random(using: &generator)
        current = add(.activation(.relu), [add(sum ? .sum : .arithmetic(.add), [left, right])])
    }

    /// A batch normalisation of a value of the current shape.
    public mutating func normalized(_ x: String) throws -> String {
        add(
            .batchNormalization(epsilon: 1e-3),
            [
                x, try floats([channels], 0.5...1.5), try floats([channels]), try floats([channels]),
                try floats([channels], 0.5...2),
            ])
    }

    /// A pooling, of a random window.
    ///
    /// With `ceilMode` there is no padding behind: the ONNX checker counts windows that would lie in it, against ONNX
    /// Runtime and PyTorch.
    public mutating func pooling(_ make: (Pooling) -> Operator, ceilMode: Bool, pads: Bool) {
        let kernel = generator.integer(2...3)
        let padding: Window.Padding =
            pads
            ? .explicit(before: [1, 0], after: ceilMode ? [0, 0] : [0, 1])
            : [.valid, .sameUpper].randomElement(using: &generator) ?? .valid
        let window = window(kernel, stride: generator.integer(1...2), padding)
        guard height >= kernel, width >= kernel else { return }
        current = add(make(Pooling(window: window, ceilMode: ceilMode)), [current])
        moveThrough(window, ceilMode: ceilMode)
    }
}
