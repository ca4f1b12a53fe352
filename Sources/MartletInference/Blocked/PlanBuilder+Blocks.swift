import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

extension PlanBuilder {
    /// The algorithm for a node that reads or writes values in blocks; `nil` if there is nothing to do.
    mutating func blockedStep(_ node: Node) throws -> (any Step)? {
        guard let kernels else { return nil }
        let (x, y) = (blocked(node.input(0)), blocked(node.outputs.first.flatMap { $0 }))
        switch (node.operation, x, y) {
        case (.identity, nil, let y?):
            let x = try planarInput(node)
            if let fold = y.layout.fold { return FoldToBlocks(x: x, y: y, fold: fold, kernels: kernels) }
            return ToBlocks(x: x, y: y, kernels: kernels)
        case (.identity, let x?, nil): return ToPlanes(x: x, y: try output(node).floats, kernels: kernels)
        case (.convolution(let convolution), let x?, let y?):
            return try blockedConvolution(node, convolution, x, y, kernels)
        case (.maxPool(let pooling), let x?, let y?):
            return BlockedPooling(
                x: x, y: y, window: pooling.window, kind: .maximum, kernels: kernels, workers: workers)
        case (.averagePool(let pooling, let countsPadding), let x?, let y?):
            return BlockedPooling(
                x: x, y: y, window: pooling.window, kind: .average(countsPadding: countsPadding), kernels: kernels,
                workers: workers)
        case (.globalAveragePool, let x?, nil):
            return BlockedGlobalAverage(x: x, y: try output(node).floats, kernels: kernels)
        case (.localResponseNormalization(let normalization), let x?, let y?):
            return BlockedResponseNormalization(x: x, y: y, normalization: normalization, kernels: kernels)
        case (.activation(let activation), let x?, let y?):
            return try self.activation(activation, x, y, kernels)
        case (.arithmetic, let x?, let y?):
            return blocked(node.input(1)).map { BlockedSum(a: x, b: $0, y: y, kernels: kernels) }
        case (.concat, _, let y?): return concatenation(node, y, kernels)
        default:
            throw NetworkError.unsupported(node: node.label, reason: "\(node.operation.kind) on blocks of channels")
        }
    }

    private mutating func activation(
        _ activation: Activation, _ x: BlockedValue, _ y: BlockedValue, _ kernels: KernelSet
    ) throws -> BlockedActivation {
        let count = y.layout.width * kernels.lanes
        let zeros = try packed("", as: "zeros \(count)", count: count) { (_: UnsafeMutableBufferPointer<Float>) in }
        return BlockedActivation(x: x, y: y, activation: activation, zeros: zeros, kernels: kernels)
    }

    private func concatenation(_ node: Node, _ y: BlockedValue, _ kernels: KernelSet) -> (any Step)? {
        var operands: [(value: BlockedValue, firstBlock: Int)] = []
        var firstBlock = 0
        for case let name? in node.inputs {
            guard let value = blocked(name) else { continue }
            if !isPlaced(name) { operands.append((value, firstBlock)) }
            firstBlock += value.layout.blocks
        }
        return operands.isEmpty ? nil : BlockedConcatenation(operands: operands, y: y, kernels: kernels)
    }

    /// A convolution, and after it the activation if that is more than a clamp.
    private mutating func blockedConvolution(
        _ node: Node, _ convolution: Convolution, _ x: BlockedValue, _ y: BlockedValue, _ kernels: KernelSet
    ) throws -> (any Step)? {
        guard let activation = convolution.activation, ClampBounds(activation) == nil else {
            return try clampedConvolution(node, convolution, x, y, kernels)
        }
        var linear = convolution
        linear.activation = nil
        return StepSequence(steps: [
            try clampedConvolution(node, linear, x, y, kernels), try self.activation(activation, y, y, kernels),
        ])
    }

    private mutating func clampedConvolution(
        _ node: Node, _ convolution: Convolution, _ x: BlockedValue, _ y: BlockedValue, _ kernels: KernelSet
    ) throws -> any Step {
        guard let (weightName, weight) = constant(node, 1), let clamp = ClampBounds(convolution.activation) else {
            throw NetworkError.unsupported(node: node.label, reason: "a weight that is computed")
        }
        let lanes = kernels.lanes
        let bias = try packedBias(node, blocks: y.layout.blocks, lanes: lanes)
        let operands = BlockedConvolutionOperands(
            x: x, y: y, residual: convolution.addsResidual ? blocked(node.input(3)) : nil, bias: bias, clamp: clamp,
            kernels: kernels, workers: workers)
        let (input, output) = (
            [x.layout.images, x.layout.channels, x.layout.height, x.layout.width],
            [y.layout.images, y.layout.channels, y.layout.height, y.layout.width]
        )
        if let fold = x.layout.fold, let choice {
            let image = [x.layout.images, fold.channels, fold.height, fold.width]
            guard let tile = choice.fold(for: convolution, input: image, output: output)?.tile else {
                throw NetworkError.unsupported(node: node.label, reason: "a folded image")
            }
            let packed = try packedWinograd(
                weightName, tile, lanes: lanes, outputs: output[1], inputs: fold.foldedChannels, fold: fold
            ) { try fold.kernel(weight.converted(to: .float32)) }
            let zeros = try zeroBias(lanes: lanes)
            return WinogradConvolution(
                operands: operands, tile: tile, weights: .floats(packed), start: 0, zeros: zeros)
        }
        let window = convolution.window
        let border = (0..<2).map { window.border(axis: $0, extent: [x.layout.height, x.layout.width][$0]).before }
        let start = -border[0] * x.layout.rowStride - border[1] * x.layout.lanes
        let taps = (0..<window.kernel[0]).flatMap { row in
            (0..<window.kernel[1]).map { column in
                row * window.dilations[0] * x.layout.rowStride + column * window.dilations[1] * x.layout.lanes
            }
        }
        let strides = (row: window.strides[0], column: window.strides[1])
        if convolution.groups > 1 {
            let floats = try weight.converted(to: .float32)
            if let separable = SeparableKernels(floats, window) {
                return BlockedSeparableConvolution(
                    operands: operands, weights: try packedSeparable(weightName, separable, lanes: lanes), start: start)
            }
            let packed = try packedDepthwise(weightName, floats, lanes: lanes)
            return BlockedDepthwiseConvolution(
                operands: operands, weights: packed, offsets: taps, start: start, strides: strides)
        }
        let algorithm =
            x.layout.lanes == lanes ? choice?.algorithm(for: convolution, input: input, output: output) : nil
        switch algorithm {
        case .winograd(let tile)?:
            return WinogradConvolution(
                operands: operands, tile: tile, weights: try winogradPanels(weightName, weight, tile, kernels),
                start: start, zeros: try zeroBias(lanes: lanes))
        case .strassen? where StrassenConvolution.fits(x.layout, strides: strides, outputHeight: y.layout.height):
            return StrassenConvolution(
                operands: operands, weights: try strassenPanels(weightName, weight, kernels), strides: strides,
                zeros: try zeroBias(lanes: lanes))
        case .direct?, .strassen?, nil: break
        }
        let offsets = (0..<x.layout.blocks).flatMap { block in taps.map { $0 + block * x.layout.blockStride } }
        return BlockedConvolution(
            operands: operands, weights: try directPanels(weightName, weight, inputLanes: x.layout.lanes, kernels),
            offsets: offsets, start: start, strides: strides)
    }

    private mutating func zeroBias(lanes: Int) throws -> UnsafePointer<Float> {
        try packed("", as: "zeros", count: 2 * lanes) { (_: UnsafeMutableBufferPointer<Float>) in }
    }

    /// `[blocks][lanes]`, zero past the last channel.
    private mutating func packedBias(_ node: Node, blocks: Int, lanes: Int) throws -> UnsafePointer<Float> {
        guard let (name, tensor) = constant(node, 2) else {
            return try packed("", as: "zeros \(blocks)", count: blocks * lanes) {
                (_: UnsafeMutableBufferPointer<Float>) in
            }
        }
        return try packed(name, as: "bias \(lanes)", count: blocks * lanes) { target in
            tensor.withElements(of: Float.self) { for i in $0.indices { target[i] = $0[i] } }
        }
    }

    /// `[blocks][taps][lanes]` from `[C, 1, h, w]`.
    private mutating func packedDepthwise(_ name: String, _ weight: Tensor, lanes: Int) throws -> UnsafePointer<Float> {
        let channels = weight.shape[0]
        let taps = weight.shape[2] * weight.shape[3]
        let blocks = (channels + lanes - 1) / lanes
        return try packed(name, as: "depthwise \(lanes)", count: blocks * taps * lanes) { target in
            weight.withElements(of: Float.self) { source in
                for channel in 0..<channels {
                    let (block, lane) = channel.quotientAndRemainder(dividingBy: lanes)
                    for tap in 0..<taps { target[(block * taps + tap) * lanes + lane] = source[channel * taps + tap] }
                }
            }
        }
    }

    /// `[blocks][column, then row][3][lanes]`.
    private mutating func packedSeparable(
        _ name: String, _ kernels: SeparableKernels, lanes: Int
    ) throws -> UnsafePointer<Float> {
        let blocks = (kernels.channels + lanes - 1) / lanes
        return try packed(name, as: "separable \(lanes)", count: blocks * SeparableKernels.weightsOfChannel * lanes) {
            target in
            for channel in 0..<kernels.channels {
                let (block, lane) = channel.quotientAndRemainder(dividingBy: lanes)
                for (place, weight) in kernels.weights(of: channel).enumerated() {
                    target[(block * SeparableKernels.weightsOfChannel + place) * lanes + lane] = weight
                }
            }
        }
    }

    mutating func packedWinograd(
        _ name: String, _ tile: WinogradTile, lanes: Int, outputs: Int, inputs: Int, fold: StrideFold?,
        _ weight: () throws -> Tensor
    ) throws -> UnsafePointer<Float> {
        let count = winogradWeightCount(tile, outputs: outputs, inputs: inputs, lanes: lanes)
        let pairs = ((outputs + lanes - 1) / lanes + 1) / 2
        let form = "winograd \(tile) \(lanes)" + (fold.map { " folded by \($0.stride)" } ?? "")
        return try packed(name, as: form, count: count) { target in
            guard let base = target.baseAddress else { return }
            try weight().withElements(of: Float.self) { source in
                guard let kernel = source.baseAddress else { return }
                packWinogradWeights(
                    tile, kernel: kernel, outputs: outputs, inputs: inputs, lanes: lanes, pairs: 0..<pairs, into: base)
            }
        }
    }
}
