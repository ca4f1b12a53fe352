import MartletTensors

/// A layer that multiplies its input by a constant weight: a convolution or a fully connected layer.
///
/// Seen as the paper sees it, `y = W u + b` over patches `u`, with `W` of `outputs / groups` x `patchSize` per group.
public struct WeightedLayer: Hashable, Sendable {
    /// What slides, if anything.
    public enum Kind: Hashable, Sendable {
        /// A convolution.
        case convolution(Convolution)
        /// A matrix product; `isTransposed` if the weight is stored `[outputs, inputs]`.
        case fullyConnected(isTransposed: Bool)
    }

    /// The node's name, which is unique in a simplified network.
    public var name: String
    /// The position of the node.
    public var nodeIndex: Int
    /// What kind of layer it is.
    public var kind: Kind
    /// The name of the weight's constant.
    public var weight: String
    /// The name of the bias's constant or value, if there is one.
    public var bias: String?
    /// Channels out.
    public var outputs: Int
    /// Channels in, of all groups.
    public var inputs: Int
    /// The extents of the kernel; empty for a fully connected layer.
    public var kernel: [Int]
    /// The number of groups, 1 for a fully connected layer.
    public var groups: Int

    /// The length of a patch `u` of one group: its input channels times the taps of the kernel.
    public var patchSize: Int { inputs / groups * kernel.reduce(1, *) }
}

extension Network {
    /// The layers with constant float32 weights, in execution order.
    public func weightedLayers() -> [WeightedLayer] {
        nodes.indices.compactMap { weightedLayer(at: $0) }
    }

    private func weightedLayer(at index: Int) -> WeightedLayer? {
        let node = nodes[index]
        guard let weight = node.input(1), let tensor = constants[weight], tensor.elementType == .float32 else {
            return nil
        }
        let extents = tensor.shape.extents
        func fullyConnected(isTransposed: Bool, bias: String?) -> WeightedLayer? {
            guard extents.count == 2, !extents.contains(0) else { return nil }
            return WeightedLayer(
                name: node.name, nodeIndex: index, kind: .fullyConnected(isTransposed: isTransposed), weight: weight,
                bias: bias, outputs: extents[isTransposed ? 0 : 1], inputs: extents[isTransposed ? 1 : 0], kernel: [],
                groups: 1)
        }
        switch node.operation {
        case .convolution(let convolution):
            guard extents.count > 2, !extents.contains(0), (1...extents[0]).contains(convolution.groups),
                let inputs = try? CheckedArithmetic.product([extents[1], convolution.groups])
            else { return nil }
            return WeightedLayer(
                name: node.name, nodeIndex: index, kind: .convolution(convolution), weight: weight, bias: node.input(2),
                outputs: extents[0], inputs: inputs, kernel: Array(extents[2...]),
                groups: convolution.groups)
        case .gemm(let gemm):
            // A transposed input, or factors, would make this another product than W u + b.
            guard !gemm.transposesA, gemm.alpha == 1, gemm.beta == 1 else { return nil }
            return fullyConnected(isTransposed: gemm.transposesB, bias: node.input(2))
        case .matMul:
            return fullyConnected(isTransposed: false, bias: nil)
        default:
            return nil
        }
    }
}
