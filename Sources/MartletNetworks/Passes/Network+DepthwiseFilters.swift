import MartletTensors

extension Network {
    /// Makes one depthwise convolution of two that follow each other along different axes, as the middle factors of a CP
    /// decomposition do: of `h x 1` and `1 x w` the one of `h x w` whose kernel is their outer product.
    ///
    /// One value less is written and read, and rounded where there are few bits. Products become more, `h w` for `h + w`, so only
    /// kernels of up to nine taps are made. The first must have no bias: the second would see zeros beyond the border where it
    /// now sees biases.
    /// - Throws: `TensorError` for weights that memory cannot hold.
    public mutating func joinDepthwiseFilters() throws {
        let uses = useCounts()
        let layers = Dictionary(uniqueKeysWithValues: weightedLayers().map { ($0.nodeIndex, $0) })
        var producers: [String: Int] = [:]
        var names = UnusedNames(taken: valueNames)
        var (removed, changed): (Set<Int>, Set<Int>) = ([], [])
        for index in nodes.indices {
            if let output = nodes[index].outputs.first, let output { producers[output] = index }
            guard case .convolution(var convolution) = nodes[index].operation, let second = layers[index],
                let input = nodes[index].input(0), uses[input] == 1, let producer = producers[input],
                !changed.contains(producer), let first = layers[producer],
                first.bias == nil, let window = Network.joinedWindow(first, second), isPlain(producer),
                let joined = try outerProduct(of: first, second)
            else { continue }
            let weight = names.take("\(second.weight).joined")
            constants[weight] = joined
            convolution.window = window
            nodes[index].operation = .convolution(convolution)
            nodes[index].inputs[0] = nodes[producer].input(0)
            nodes[index].inputs[1] = weight
            removed.insert(producer)
            changed.insert(index)
        }
        if removed.isEmpty { return }
        nodes = nodes.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
        removeDeadNodes()
    }

    private static let largestJoinedKernel = 9

    /// A convolution alone.
    private func isPlain(_ index: Int) -> Bool {
        guard case .convolution(let convolution) = nodes[index].operation else { return false }
        return convolution.activation == nil && !convolution.addsResidual
    }

    /// The window that does what two do one after the other, `nil` where both move along an axis.
    private static func joinedWindow(_ first: WeightedLayer, _ second: WeightedLayer) -> Window? {
        guard case .convolution(let a) = first.kind, case .convolution(let b) = second.kind, first.isDepthwise,
            second.isDepthwise, first.outputs == second.inputs, a.window.rank == b.window.rank,
            case .explicit(let aBefore, let aAfter) = a.window.padding,
            case .explicit(let bBefore, let bAfter) = b.window.padding
        else { return nil }
        var result = b.window
        var (before, after) = (bBefore, bAfter)
        for axis in 0..<b.window.rank where !b.window.leavesAlone(axis) {
            if !a.window.leavesAlone(axis) { return nil }
        }
        for axis in 0..<b.window.rank where !a.window.leavesAlone(axis) {
            result.kernel[axis] = a.window.kernel[axis]
            result.strides[axis] = a.window.strides[axis]
            result.dilations[axis] = a.window.dilations[axis]
            (before[axis], after[axis]) = (aBefore[axis], aAfter[axis])
        }
        result.padding = .explicit(before: before, after: after)
        return result.tapCount <= largestJoinedKernel ? result : nil
    }

    /// The kernel `[R, 1, ...]` of both, rounded once; `nil` if either is not in single precision.
    private func outerProduct(of first: WeightedLayer, _ second: WeightedLayer) throws -> Tensor? {
        guard let a = constants[first.weight], let b = constants[second.weight], a.elementType == .float32,
            b.elementType == .float32
        else { return nil }
        let shape = try Shape([second.outputs, 1] + zip(first.kernel, second.kernel).map { max($0, $1) })
        let kernel = Array(shape.extents[2...])
        let taps = kernel.reduce(1, *)
        let places = (0..<taps).map { tap in
            (Network.offset(of: tap, kernel, in: first.kernel), Network.offset(of: tap, kernel, in: second.kernel))
        }
        let (aTaps, bTaps) = (first.kernel.reduce(1, *), second.kernel.reduce(1, *))
        var result = try Tensor(zeros: shape, elementType: .float32)
        try a.withElements(of: Float.self) { a in
            try b.withElements(of: Float.self) { b in
                try result.withMutableElements(of: Float.self) { target in
                    for index in target.indices {
                        let (channel, place) = (index / taps, places[index % taps])
                        target[index] = a[channel * aTaps + place.0] * b[channel * bTaps + place.1]
                    }
                }
            }
        }
        return result
    }

    /// Where a tap of a kernel is in a part of it, which has extent 1 along the axes that it leaves alone.
    private static func offset(of tap: Int, _ kernel: [Int], in part: [Int]) -> Int {
        var (rest, offset, step) = (tap, 0, 1)
        for axis in kernel.indices.reversed() {
            if part[axis] > 1 { offset += rest % kernel[axis] * step }
            rest /= kernel[axis]
            step *= part[axis]
        }
        return offset
    }
}

extension WeightedLayer {
    /// Whether each channel is convolved by itself.
    fileprivate var isDepthwise: Bool { groups == outputs && groups == inputs }
}

extension Window {
    /// Whether an axis is as if there were no window.
    fileprivate func leavesAlone(_ axis: Int) -> Bool {
        guard case .explicit(let before, let after) = padding else { return false }
        return kernel[axis] == 1 && strides[axis] == 1 && before[axis] == 0 && after[axis] == 0
    }
}
