import MartletNetworks
import MartletTensors

extension PlanBuilder {
    /// The algorithm for a node that reads or writes bytes in blocks; `nil` if there is nothing to do.
    mutating func quantizedStep(_ node: Node) throws -> (any Step)? {
        guard let floatKernels = kernels else { return nil }
        let kernels = QuantizedKernelSet(floatKernels.instructionSet)
        let output = node.outputs.first.flatMap { $0 }
        let (x, y) = (bytes(node.input(0)), bytes(output))
        let layer = output.flatMap { self.layer($0) }
        switch (node.operation, x, y) {
        case (.quantizeLinear, nil, let y?):
            let source: FloatSource
            if let value = blocked(node.input(0)) {
                source = .blocks(value)
            } else {
                source = .planes(try planarInput(node))
            }
            return QuantizeToBlocks(x: source, y: y, floatKernels: floatKernels, kernels: kernels)
        case (.dequantizeLinear, let x?, nil):
            if let blocks = blocked(output) { return DequantizeToBlocks(x: x, y: blocks, kernels: kernels) }
            return DequantizeToPlanes(
                x: x, y: try self.output(node).floats, floatKernels: floatKernels, kernels: kernels)
        case (.identity, nil, let y?):
            let planes = UnsafeMutableRawPointer(mutating: try input(node, 0).base).assumingMemoryBound(to: UInt8.self)
            return MoveBytes(planes: planes, blocks: y, isToBlocks: true)
        case (.identity, let x?, nil):
            let planes = try self.output(node).base.assumingMemoryBound(to: UInt8.self)
            return MoveBytes(planes: planes, blocks: x, isToBlocks: false)
        default: break
        }
        guard let y, let layer else {
            throw NetworkError.unsupported(node: node.label, reason: "\(node.operation.kind) on blocks of bytes")
        }
        switch (node.operation, x) {
        case (.convolution(let convolution), let x?):
            return try quantizedConvolution(node, convolution, layer, x, y, kernels)
        case (.maxPool(let pooling), let x?):
            return QuantizedPooling(
                x: x, y: y, window: pooling.window, kind: .maximum, settings: [], kernels: kernels, workers: workers)
        case (.averagePool(let pooling, let countsPadding), let x?):
            return QuantizedPooling(
                x: x, y: y, window: pooling.window, kind: .average(countsPadding: countsPadding),
                settings: layer.settings(operands: [x.quantization]), kernels: kernels, workers: workers)
        case (.globalAveragePool, let x?):
            return QuantizedPooling(
                x: x, y: y, window: Window(kernel: [x.layout.height, x.layout.width]),
                kind: .average(countsPadding: false), settings: layer.settings(operands: [x.quantization]),
                kernels: kernels, workers: workers)
        case (.arithmetic, let x?):
            guard let b = bytes(node.input(1)) else { break }
            return QuantizedSum(
                a: x, b: b, y: y, settings: layer.settings(operands: [x.quantization, b.quantization]),
                kernels: kernels)
        case (.clip, let x?):
            return QuantizedSum(
                a: x, b: nil, y: y, settings: layer.settings(operands: [x.quantization, x.quantization]),
                kernels: kernels)
        case (.concat, _): return quantizedConcatenation(node, y)
        default: break
        }
        throw NetworkError.unsupported(node: node.label, reason: "\(node.operation.kind) on blocks of bytes")
    }

    private func quantizedConcatenation(_ node: Node, _ y: ByteBlocks) -> (any Step)? {
        var operands: [(value: ByteBlocks, firstBlock: Int)] = []
        var firstBlock = 0
        for case let name? in node.inputs {
            guard let value = bytes(name) else { continue }
            if !isPlaced(name) { operands.append((value, firstBlock)) }
            firstBlock += value.layout.blocks
        }
        return operands.isEmpty ? nil : QuantizedConcatenation(operands: operands, y: y)
    }

    private mutating func quantizedConvolution(
        _ node: Node, _ convolution: Convolution, _ layer: QuantizedLayer, _ x: ByteBlocks, _ y: ByteBlocks,
        _ kernels: QuantizedKernelSet
    ) throws -> any Step {
        guard let weights = layer.weights, let (_, tensor) = constant(node, 1), let name = node.outputs.first, let name
        else { throw NetworkError.unsupported(node: node.label, reason: "a weight that is computed") }
        let residual = convolution.addsResidual ? bytes(node.input(3)) : nil
        let channels = y.layout.blocks * QuantizedKernelSet.channelsOfBlock
        let operands = QuantizedConvolutionOperands(
            x: x, y: y, residual: residual,
            bias: try packedBias(
                name, weights, tensor, layer.bias, constant(node, 2)?.tensor, x: x.quantization, channels: channels),
            factors: try packedFactors(
                name, weights, x: x.quantization, over: layer.scaleOfSums, outputs: y.layout.channels, channels),
            settings: layer.settings(residual: residual?.quantization), kernels: kernels, workers: workers)
        let window = convolution.window
        let border = (0..<2).map { window.border(axis: $0, extent: [x.layout.height, x.layout.width][$0]).before }
        let start = -border[0] * x.layout.rowStride - border[1] * x.layout.lanes
        // Of few channels, the taps of a row lie side by side and are read as one run.
        let run = x.layout.lanes < QuantizedKernelSet.channelsOfBlock ? window.kernel[1] : 1
        let taps = (0..<window.kernel[0]).flatMap { row in
            stride(from: 0, to: window.kernel[1], by: run).map { column in
                row * window.dilations[0] * x.layout.rowStride + column * window.dilations[1] * x.layout.lanes
            }
        }
        let strides = (row: window.strides[0], column: window.strides[1])
        if convolution.groups > 1 {
            return QuantizedDepthwiseConvolution(
                operands: operands, weights: try packedDepthwise(weights, tensor, channels: channels, kernels.lanes),
                offsets: taps, start: start, strides: strides)
        }
        let (input, output) = (
            [x.layout.images, x.layout.channels, x.layout.height, x.layout.width],
            [y.layout.images, y.layout.channels, y.layout.height, y.layout.width]
        )
        if case .winograd? = choiceOnBytes?.algorithm(for: convolution, input: input, output: output) {
            let packed = try packedWinograd(
                name, layer, weights, tensor, constant(node, 2)?.tensor, x: x.quantization,
                channels: channels, lanes: kernels.lanes)
            return QuantizedWinogradConvolution(operands: operands, weights: packed, start: start)
        }
        let fours = ChannelsRead(run * x.layout.channels, blockLanes: run * x.layout.lanes, unit: 4)
        let offsets = (0..<x.layout.blocks).flatMap { block in taps.map { $0 + block * x.layout.blockStride } }
        return QuantizedConvolution(
            operands: operands,
            weights: try packedQuads(
                weights, tensor, layout: x.layout, taps: window.tapCount, run: run, fours: fours, offsets: offsets,
                channels: channels, kernels),
            offsets: offsets, fours: fours, start: start, strides: strides)
    }
}
