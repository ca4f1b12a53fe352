import MartletNetworks
import MartletTensors

extension TrainingPlanner {
    /// The step of a node that only moves elements.
    mutating func move(_ node: Node) throws -> any DifferentiableStep {
        switch node.operation {
        case .identity, .dropout, .flatten, .reshape, .squeeze, .unsqueeze, .reduceMean:
            // Dropout is left out, as when the network runs.
            let x = try input(node, 0)
            return try step(node, [piece(extents: [x.count], fromStrides: [1], toStrides: [1])])
        case .transpose(let permutation):
            let x = try input(node, 0)
            let order = permutation ?? Array(x.extents.indices.reversed())
            let y = try output(node)
            return try step(
                node, [piece(extents: y.extents, fromStrides: order.map { x.strides[$0] }, toStrides: y.strides)])
        case .expand:
            let (x, y) = (try input(node, 0), try output(node))
            return try step(
                node,
                [piece(extents: y.extents, fromStrides: x.strides(broadcastTo: y.extents), toStrides: y.strides)])
        case .concat(let axis): return try concatenation(node, axis: axis)
        case .split(let axis): return try split(node, axis: axis)
        case .slice: return try slice(node)
        case .pad(.constant): return try padding(node)
        default:
            throw NetworkError.unsupported(node: node.label, reason: "training through \(node.operation.kind)")
        }
    }

    private func piece(
        _ input: Int = 0, _ output: Int = 0, extents: [Int], from: Int = 0, fromStrides: [Int], to: Int = 0,
        toStrides: [Int]
    ) -> MoveStep.Piece {
        MoveStep.Piece(
            input: input, output: output, extents: extents, from: from, fromStrides: fromStrides, to: to,
            toStrides: toStrides)
    }

    /// A step of these pieces; only a concatenation has more than one input.
    private mutating func step(
        _ node: Node, _ pieces: [MoveStep.Piece], filling: Float? = nil
    ) throws -> MoveStep {
        let inputCount = (pieces.map(\.input).max() ?? 0) + 1
        let outputCount = (pieces.map(\.output).max() ?? 0) + 1
        return MoveStep(
            inputs: try (0..<inputCount).map {
                MoveStep.Input(value: try input(node, $0), gradient: target(node, $0))
            },
            outputs: try (0..<outputCount).map {
                MoveStep.Output(value: try output(node, $0), gradient: gradient(node, $0))
            }, pieces: pieces, filling: filling)
    }

    private mutating func concatenation(_ node: Node, axis: Int) throws -> any DifferentiableStep {
        let y = try output(node)
        let axis = axis < 0 ? axis + y.extents.count : axis
        var pieces: [MoveStep.Piece] = []
        var first = 0
        for index in node.inputs.indices {
            let x = try input(node, index)
            pieces.append(
                piece(
                    index, extents: x.extents, fromStrides: x.strides, to: first * y.strides[axis],
                    toStrides: y.strides))
            first += x.extents[axis]
        }
        return try step(node, pieces)
    }

    private mutating func split(_ node: Node, axis: Int) throws -> any DifferentiableStep {
        let x = try input(node, 0)
        let axis = axis < 0 ? axis + x.extents.count : axis
        var pieces: [MoveStep.Piece] = []
        var first = 0
        for index in node.outputs.indices {
            let y = try output(node, index)
            pieces.append(
                piece(
                    0, index, extents: y.extents, from: first * x.strides[axis], fromStrides: x.strides,
                    toStrides: y.strides))
            first += y.extents[axis]
        }
        return try step(node, pieces)
    }

    private mutating func slice(_ node: Node) throws -> any DifferentiableStep {
        let (x, y) = (try input(node, 0), try output(node))
        guard let starts = try integers(node, 1), let ends = try integers(node, 2) else {
            throw NetworkError.invalidNode(node: node.label, reason: "it does not say where to cut")
        }
        let axes = try integers(node, 3) ?? Array(starts.indices)
        let steps = try integers(node, 4) ?? [Int](repeating: 1, count: starts.count)
        var from = 0
        var strides = x.strides
        // Type inference has seen to it that the numbers fit each other.
        for index in starts.indices {
            let axis = axes[index] < 0 ? axes[index] + x.extents.count : axes[index]
            let cut = SliceCut(axis: axis, start: starts[index], end: ends[index], step: steps[index])
            from += cut.resolved(extent: x.extents[axis]).first * x.strides[axis]
            strides[axis] = y.extents[axis] > 1 ? x.strides[axis] * steps[index] : 0
        }
        return try step(
            node, [piece(extents: y.extents, from: from, fromStrides: strides, toStrides: y.strides)])
    }

    private mutating func padding(_ node: Node) throws -> any DifferentiableStep {
        let (x, y) = (try input(node, 0), try output(node))
        guard let pads = try integers(node, 1) else {
            throw NetworkError.invalidNode(node: node.label, reason: "it does not say how much to pad")
        }
        let axes = try integers(node, 3) ?? Array(x.extents.indices)
        var value: Float = 0
        if node.input(2) != nil {
            guard let tensor = constant(node, 2), tensor.elementType == .float32, tensor.shape.elementCount == 1 else {
                throw NetworkError.unsupported(node: node.label, reason: "training where a border is computed")
            }
            value = tensor.withElements(of: Float.self) { $0[0] }
        }
        var before = [Int](repeating: 0, count: x.extents.count)
        for (index, axis) in axes.enumerated() { before[axis < 0 ? axis + x.extents.count : axis] = pads[index] }
        // What is left of the input where the border is negative.
        let first = before.map { max(0, -$0) }
        let extents = x.extents.indices.map { axis in
            max(0, min(x.extents[axis] - first[axis], y.extents[axis] - max(0, before[axis])))
        }
        let from = zip(first, x.strides).reduce(0) { $0 + $1.0 * $1.1 }
        let to = zip(before, y.strides).reduce(0) { $0 + max(0, $1.0) * $1.1 }
        return try step(
            node,
            [piece(extents: extents, from: from, fromStrides: x.strides, to: to, toStrides: y.strides)],
            filling: value)
    }
}
