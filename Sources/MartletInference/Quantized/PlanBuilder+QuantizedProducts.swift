import MartletNetworks
import MartletTensors

extension PlanBuilder {
    /// A matrix product of bytes that makes floats, if the node is one.
    mutating func productOfBytes(_ node: Node) throws -> (any Step)? {
        guard let name = node.outputs.first, let name, let product = product(name), let (_, tensor) = constant(node, 1),
            let kernels
        else { return nil }
        let quantized = QuantizedKernelSet(kernels.instructionSet)
        let (x, y, biases) = (try input(node, 0), try output(node), constant(node, 2)?.tensor)
        let layout = try BlockedLayout(
            [x.shape[0], x.shape[1], 1, 1], lanes: QuantizedKernelSet.channelsOfBlock, border: .init(), elementBytes: 1)
        let weights = product.weights
        let fours = ChannelsRead(x.shape[1], blockLanes: layout.lanes, unit: 4)
        let outputs = y.shape[1]
        let channels = (outputs + layout.lanes - 1) / layout.lanes * layout.lanes
        return QuantizedMatrixProduct(
            x: x, y: y.floats, quantization: product.x, quads: fours.total(of: layout.blocks), outputs: outputs,
            channels: channels,
            weights: try packedQuads(
                weights, tensor, layout: layout, taps: 1, run: 1, fours: fours,
                offsets: (0..<layout.blocks).map { $0 * layout.lanes }, channels: channels, quantized),
            sums: try packedBias(name, weights, tensor, nil, nil, x: product.x, channels: channels),
            factors: try packedFactors(name, weights, x: product.x, over: 1, outputs: outputs, channels),
            addends: try packedAddends(name, weights, product.bias, biases, outputs: outputs, channels: channels),
            kernels: quantized)
    }
}
