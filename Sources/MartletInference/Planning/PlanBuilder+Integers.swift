import MartletNetworks
import MartletTensors

extension PlanBuilder {
    func quantizedConvolution(_ node: Node, _ convolution: Convolution) throws -> any Step {
        let y = try output(node)
        let result = IntegerResult.requantized(try requantization(node, y))
        return try integerConvolution(
            node, convolution, weight: 3, zeroPoints: (2, 5), bias: try optionalInput(node, 8), result: result, y: y)
    }

    func integerConvolution(_ node: Node, _ convolution: Convolution) throws -> any Step {
        let y = try output(node)
        return try integerConvolution(
            node, convolution, weight: 1, zeroPoints: (2, 3), bias: nil, result: .sums(y), y: y)
    }

    private func integerConvolution(
        _ node: Node, _ convolution: Convolution, weight: Int, zeroPoints: (x: Int, weight: Int), bias: TensorView?,
        result: IntegerResult, y: MutableTensorView
    ) throws -> any Step {
        let (x, weight) = (try input(node, 0), try input(node, weight))
        let outputs = y.shape[1]
        return IntegerConvolution(
            x: IntegerOperand(
                view: x, zeroPoint: try parameter(node, zeroPoints.x), runLength: max(1, x.shape.elementCount)),
            weight: IntegerOperand(
                view: weight, zeroPoint: try parameter(node, zeroPoints.weight, upTo: outputs),
                runLength: max(1, weight.shape.elementCount / outputs)),
            bias: bias, result: result, outputs: outputs, groups: convolution.groups,
            window: try slidingWindow(node, convolution.window, input: x.shape, output: y.shape))
    }

    func quantizedMatMul(_ node: Node) throws -> any Step {
        try integerMatMul(
            node, right: 3, zeroPoints: (2, 5), result: .requantized(try requantization(node, output(node))))
    }

    func integerMatMul(_ node: Node) throws -> any Step {
        try integerMatMul(node, right: 1, zeroPoints: (2, 3), result: .sums(try output(node)))
    }

    private func integerMatMul(
        _ node: Node, right: Int, zeroPoints: (left: Int, right: Int), result: IntegerResult
    ) throws -> any Step {
        let (a, b) = (try input(node, 0), try input(node, right))
        let left = a.shape.rank == 1 ? [1] + a.shape.extents : a.shape.extents
        let right = b.shape.rank == 1 ? b.shape.extents + [1] : b.shape.extents
        let (rows, terms, columns) = (left[left.count - 2], left[left.count - 1], right[right.count - 1])
        let isEmpty = try output(node).shape.elementCount == 0
        return IntegerMatrixProduct(
            left: IntegerOperand(
                view: a, zeroPoint: try parameter(node, zeroPoints.left, upTo: rows), runLength: max(1, terms)),
            right: IntegerOperand(
                view: b, zeroPoint: try parameter(node, zeroPoints.right, upTo: columns), runLength: 1),
            result: result, rows: rows, columns: columns, terms: terms,
            pairs: isEmpty
                ? [] : MatrixProduct.pairs(left: Array(left.dropLast(2)), right: Array(right.dropLast(2))))
    }

    private func requantization(_ node: Node, _ y: MutableTensorView) throws -> Requantization {
        guard let xScale = try parameter(node, 1), let yScale = try parameter(node, 6),
            let zeroPoint = try parameter(node, 7), let last = y.shape.extents.last,
            let weightScale = try parameter(
                node, 4, upTo: node.operation == .quantizedMatMul ? last : y.shape[min(1, y.shape.rank - 1)])
        else { throw NetworkError.invalidNode(node: node.label, reason: "a scale or zero point is missing") }
        return Requantization(
            y: y, xScale: xScale, weightScale: weightScale, yScale: yScale, zeroPoint: zeroPoint)
    }

    /// A scale or zero point: one number, or as many as there are channels.
    private func parameter(_ node: Node, _ index: Int, upTo channels: Int = 1) throws -> TensorView? {
        guard let view = try optionalInput(node, index) else { return nil }
        let count = view.shape.elementCount
        if count != 1, count != channels {
            throw NetworkError.unsupported(
                node: node.label, reason: "\(count) scales or zero points in input \(index), where 1 or \(channels) fit"
            )
        }
        return view
    }
}
