import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// One layer by itself, to see what rounding does to its result.
final class LayerLaboratory {
    let layer: WeightedLayer
    private let node: Node
    private let weight: Tensor
    private let pool: ThreadPool
    private let exact: Executor

    /// The layer of a network, without its bias.
    init(_ layer: WeightedLayer, in network: Network, pool: ThreadPool) throws {
        guard let weight = network.constants[layer.weight] else {
            throw NetworkError.undefinedValue(name: layer.weight, user: "layer '\(layer.name)'")
        }
        self.layer = layer
        self.weight = weight
        self.pool = pool
        node = network.nodes[layer.nodeIndex]
        exact = try LayerLaboratory.executor(node, weight, pool)
    }

    /// The layer's result with another weight.
    func executor(weight: Tensor) throws -> Executor { try LayerLaboratory.executor(node, weight, pool) }

    /// The layer's result.
    func result(_ input: Tensor, by executor: Executor? = nil) throws -> Tensor {
        guard let y = try (executor ?? exact).run(["x": input])["y"] else {
            throw NetworkError.undefinedValue(name: "y", user: "layer '\(layer.name)'")
        }
        return y
    }

    private static func executor(_ node: Node, _ weight: Tensor, _ pool: ThreadPool) throws -> Executor {
        let rank = node.operation.isConvolution ? weight.shape.rank : 2
        func free(_ rank: Int) -> [Extent] { [.symbol("N")] + [Extent](repeating: .unknown, count: rank - 1) }
        return try Executor(
            network: Network(
                name: node.name, inputs: [.init(name: "x", type: TensorType(.float32, free(rank)))],
                outputs: [.init(name: "y", type: TensorType(.float32, free(rank)))],
                nodes: [Node(name: node.name, operation: node.operation, inputs: ["x", "w"], outputs: ["y"])],
                constants: ["w": weight]), pool: pool)
    }
}

extension Operator {
    /// Whether it is a convolution in floating point.
    var isConvolution: Bool { if case .convolution = self { true } else { false } }
}

extension Tensor {
    /// The numbers as they come back from quantization.
    func requantized(_ parameters: AffineParameters) throws -> Tensor {
        var result = try Tensor(zeros: shape, elementType: .float32)
        try withElements(of: Float.self) { source in
            try result.withMutableElements(of: Float.self) { target in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                parameters.requantize(source, into: target, count: shape.elementCount)
            }
        }
        return result
    }

    /// The sum of squared differences, and of squares.
    func squaredDifference(from other: Tensor) -> (difference: Double, whole: Double) {
        withElements(of: Float.self) { a in
            other.withElements(of: Float.self) { b in
                var (difference, whole) = (0.0, 0.0)
                // Short sums in single precision, their sum in double.
                var start = 0
                while start < a.count {
                    let end = min(start + 256, a.count)
                    var (d, w) = (Float(0), Float(0))
                    for i in start..<end {
                        d += (a[i] - b[i]) * (a[i] - b[i])
                        w += a[i] * a[i]
                    }
                    difference += Double(d)
                    whole += Double(w)
                    start = end
                }
                return (difference, whole)
            }
        }
    }
}
