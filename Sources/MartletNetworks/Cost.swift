import MartletTensors

/// What a node costs to keep and to run once.
public struct Cost: Hashable, Sendable {
    /// Trained numbers: elements of floating-point constants and of quantized ones, scales not counted, each constant counted
    /// where it is first read.
    public var parameters = 0
    /// Multiplications of convolutions and matrix products, each with its addition; nothing else is counted.
    public var multiplyAdds = 0
    /// Bytes of the constants as held in memory.
    public var bytes = 0

    /// No cost.
    public init() {}

    /// The sum of two costs.
    public static func + (a: Cost, b: Cost) -> Cost {
        var sum = a
        sum.parameters += b.parameters
        sum.multiplyAdds += b.multiplyAdds
        sum.bytes += b.bytes
        return sum
    }
}

extension TypedNetwork {
    /// The cost of each node, in order. Extents that are not numbers count as 1: give shapes with a batch of one.
    /// - Throws: ``TensorError/sizeOverflow(_:)``.
    public func costs() throws -> [Cost] {
        var counted: Set<String> = []
        return try network.nodes.map { node in
            var cost = Cost()
            let quantized = node.operation.quantizedParameters
            for (index, input) in node.inputs.enumerated() {
                guard let input, let tensor = network.constants[input], counted.insert(input).inserted else { continue }
                if quantized?.contains(index) ?? tensor.elementType.isFloatingPoint {
                    cost.parameters += tensor.shape.elementCount
                }
                cost.bytes += tensor.byteCount
            }
            cost.multiplyAdds = try multiplyAdds(node)
            return cost
        }
    }

    private func multiplyAdds(_ node: Node) throws -> Int {
        func extents(_ value: String?) -> [Int] {
            value.flatMap { types[$0] }?.dimensions.map { $0.value ?? 1 } ?? []
        }
        let output = extents(node.outputs.first.flatMap { $0 })
        switch node.operation {
        case .convolution, .integerConvolution:
            return try CheckedArithmetic.product(output + extents(node.input(1)).dropFirst())
        case .quantizedConvolution:
            return try CheckedArithmetic.product(output + extents(node.input(3)).dropFirst())
        case .gemm(let gemm):
            let a = extents(node.input(0))
            return a.count == 2 ? try CheckedArithmetic.product(output + [a[gemm.transposesA ? 0 : 1]]) : 0
        case .matMul, .integerMatMul, .quantizedMatMul:
            return try CheckedArithmetic.product(output + [extents(node.input(0)).last ?? 1])
        default:
            return 0
        }
    }
}

extension Operator {
    /// The inputs that are trained numbers where those are quantized; `nil` for an operation in floating point.
    fileprivate var quantizedParameters: Set<Int>? {
        switch self {
        case .dequantizeLinear: [0]
        case .quantizeLinear, .dynamicQuantizeLinear: []
        case .integerConvolution, .integerMatMul: [1]
        case .quantizedConvolution: [3, 8]
        case .quantizedMatMul: [3]
        default: nil
        }
    }
}

extension Network {
    /// The network for a batch of one image; other extents that its file leaves open stay open.
    /// - Throws: ``NetworkError``.
    public func forOneImage() throws -> TypedNetwork {
        var types: [String: TensorType] = [:]
        for input in inputs {
            var type = input.type
            if let first = type.dimensions.first, first.value == nil { type.dimensions[0] = .fixed(1) }
            types[input.name] = type
        }
        return try folded(inputTypes: types)
    }
}
