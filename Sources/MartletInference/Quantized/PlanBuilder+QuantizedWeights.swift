import MartletNetworks
import MartletTensors

// Weights and what goes with them, brought to the order in which the kernels on bytes read them.

extension PlanBuilder {
    /// `[channels]`: the bias in steps of the products, less what the zero point of the input adds to sums of products with
    /// bytes less `centre`.
    mutating func packedBias(
        _ output: String, _ weights: ByteWeights, _ tensor: Tensor, _ bias: ByteBias?, _ biases: Tensor?,
        x: ByteQuantization, centre: Int = 0, channels: Int
    ) throws -> UnsafePointer<Int32> {
        try packed(weights.name, as: "sums of \(output) less \(centre)", count: channels) { target in
            guard tensor.shape.elementCount > 0 else { return }
            let outputs = tensor.shape[weights.isTransposed ? 1 : 0]
            var sums = [Int](repeating: 0, count: outputs)
            weights.forEach(in: tensor) { output, _, weight in sums[output] += weight }
            for output in 0..<outputs {
                let steps = bias?.steps(of: biases, output: output, product: weights.scale(output), x.scale)
                target[output] = Int32(truncatingIfNeeded: (steps ?? 0) + (centre - x.zeroPoint) * sums[output])
            }
        }
    }

    /// `[channels]`: the scale of the products over that of the result.
    mutating func packedFactors(
        _ output: String, _ weights: ByteWeights, x: ByteQuantization, over scale: Float, outputs: Int, _ channels: Int
    ) throws -> UnsafePointer<Float> {
        try packed(weights.name, as: "factors of \(output)", count: channels) { target in
            for output in 0..<outputs {
                target[output] = Float(Double(x.scale) * Double(weights.scale(output)) / Double(scale))
            }
        }
    }

    /// `[channels]`: the bias of a layer that makes floats.
    mutating func packedAddends(
        _ output: String, _ weights: ByteWeights, _ bias: ByteBias?, _ biases: Tensor?, outputs: Int, channels: Int
    ) throws -> UnsafePointer<Float> {
        try packed(weights.name, as: "addends of \(output)", count: channels) { target in
            guard let bias, let biases else { return }
            for output in 0..<outputs { target[output] = Float(bias.value(of: biases, output: output)) }
        }
    }

    /// `[vectors][taps][lanes]` from `[C, 1, h, w]`.
    mutating func packedDepthwise(
        _ weights: ByteWeights, _ tensor: Tensor, channels: Int, _ lanes: Int
    ) throws -> UnsafePointer<Int32> {
        let taps = tensor.shape.elementCount / tensor.shape[0]
        return try packed(weights.name, as: "depthwise bytes \(lanes)", count: channels * taps) { target in
            weights.forEach(in: tensor) { channel, tap, weight in
                let (vector, lane) = channel.quotientAndRemainder(dividingBy: lanes)
                // The kernels multiply pairs of 16 bits, the second of which is 0 on the other side.
                target[(vector * taps + tap) * lanes + lane] = Int32(weight)
            }
        }
    }

    /// What `convolveQuantizedRows` reads, from `[T, S, h, w]`; the `fours` of an input of `layout` are those of a `run` of taps,
    /// with zeros behind them, and begin at one of `offsets`.
    mutating func packedQuads(
        _ weights: ByteWeights, _ tensor: Tensor, layout: BlockedLayout, taps: Int, run: Int, fours: ChannelsRead,
        offsets: [Int], channels: Int, _ kernels: QuantizedKernelSet
    ) throws -> PackedQuads {
        let (lanes, bytes) = (kernels.lanes, kernels.weightBytes)
        let vectors = channels / lanes
        // A vector of one place: four weights for each lane.
        let size = 4 * lanes * bytes
        let runs = taps / run
        let places = fours.total(of: layout.blocks * runs)
        let block = places * size
        let order = "quads of \(run) taps, \(lanes) \(bytes)"
        return try packedQuads(weights.name, as: order, offsets: offsets, fours: fours) {
            var target = [Int8](repeating: 0, count: vectors * block)
            weights.forEach(in: tensor) { output, term, weight in
                let (input, tap) = term.quotientAndRemainder(dividingBy: taps)
                let (vector, lane) = output.quotientAndRemainder(dividingBy: lanes)
                let pairStart = vector / 2 * 2
                let width = min(2, vectors - pairStart)
                let (inputBlock, channel) = input.quotientAndRemainder(dividingBy: layout.lanes)
                let byte = tap % run * layout.lanes + channel
                let place = fours.place(of: byte / 4, block: inputBlock, offset: tap / run, offsetsOfBlock: runs)
                let start = pairStart * block + (place * width + vector - pairStart) * size
                let k = byte % 4
                if bytes == 1 {
                    target[start + lane * 4 + k] = Int8(truncatingIfNeeded: weight)
                } else {
                    let half = start + (k % 2 * lanes + lane) * 4 + k / 2 * 2
                    target[half] = Int8(truncatingIfNeeded: weight)
                    target[half + 1] = weight < 0 ? -1 : 0
                }
            }
            if kernels.pairLimit == .max { return try QuadWeights(target, vectors: vectors, vectorBytes: block) }
            return try QuadWeights(
                limiting: target, vectors: vectors, lanes: lanes, quads: places, to: kernels.pairLimit)
        }
    }
}

extension ByteWeights {
    /// The scale of an output's weights.
    func scale(_ output: Int) -> Float { scales.count == 1 ? scales[0] : scales[output] }

    /// Calls `body` with each weight, less the zero point: its output, its place among those of the output, and itself.
    func forEach(in tensor: Tensor, _ body: (_ output: Int, _ term: Int, _ weight: Int) -> Void) {
        if tensor.elementType == .int8 {
            tensor.withElements(of: Int8.self) { each($0, tensor.shape, body) }
        } else {
            tensor.withElements(of: UInt8.self) { each($0, tensor.shape, body) }
        }
    }

    @inline(__always)
    private func each<Element: FixedWidthInteger>(
        _ elements: UnsafeBufferPointer<Element>, _ shape: Shape, _ body: (Int, Int, Int) -> Void
    ) {
        if isTransposed {
            let outputs = shape[1]
            for index in elements.indices { body(index % outputs, index / outputs, Int(elements[index]) - zeroPoint) }
            return
        }
        let terms = elements.count / max(1, shape[0])
        var index = 0
        for output in 0..<shape[0] {
            for term in 0..<terms {
                body(output, term, Int(elements[index]) - zeroPoint)
                index += 1
            }
        }
    }
}

extension ByteBias {
    /// The bias of an output, where its constant has a scale.
    fileprivate func value(of tensor: Tensor, output: Int) -> Double {
        let value =
            tensor.elementType == .int32
            ? tensor.withElements(of: Int32.self) { Double($0[output]) }
            : tensor.withElements(of: Float.self) { Double($0[output]) }
        let scale = scales.map { $0.count == 1 ? $0[0] : $0[output] } ?? 1
        return value * Double(scale)
    }

    /// The bias of an output in steps of the products, whose scale is `product` times `input`.
    fileprivate func steps(of tensor: Tensor?, output: Int, product: Float, _ input: Float) -> Int {
        guard let tensor else { return 0 }
        if tensor.elementType == .int32, scales == nil {
            return tensor.withElements(of: Int32.self) { Int($0[output]) }
        }
        let steps = (value(of: tensor, output: output) / (Double(product) * Double(input))).rounded(.toNearestOrEven)
        return Int(min(max(steps.isNaN ? 0 : steps, Double(Int32.min)), Double(Int32.max)))
    }
}
