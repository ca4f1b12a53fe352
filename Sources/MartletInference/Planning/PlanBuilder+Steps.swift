import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

extension PlanBuilder {
    /// The algorithm for a node; `nil` if there is nothing to do.
    mutating func step(_ node: Node) throws -> (any Step)? {
        switch node.operation {
        case .convolution(let convolution):
            return try self.convolution(node, convolution)
        case .gemm(let gemm):
            return try self.gemm(node, gemm)
        case .matMul:
            return try matMul(node)
        case .activation(let activation):
            return ActivationStep(x: try floats(node, 0), y: try output(node), activation: activation)
        case .clip:
            return try clip(node)
        case .parametricRelu:
            let (x, slope, y) = (try floats(node, 0), try floats(node, 1), try output(node))
            if x.shape != y.shape {
                throw NetworkError.invalidNode(
                    node: node.label, reason: "a slope \(slope.shape) does not spread to \(x.shape)")
            }
            return ParametricReluStep(x: x, slope: slope, y: y, node: node.label)
        case .batchNormalization(let epsilon):
            return BatchNormalizationStep(
                x: try floats(node, 0), scale: try floats(node, 1), bias: try floats(node, 2),
                mean: try floats(node, 3), variance: try floats(node, 4), y: try output(node), epsilon: epsilon)
        case .maxPool(let pooling):
            return try self.pooling(node, pooling, .maximum)
        case .averagePool(let pooling, let countsPadding):
            return try self.pooling(node, pooling, .average(countsPadding: countsPadding))
        case .globalAveragePool:
            return GlobalPoolingStep(x: try floats(node, 0), y: try output(node), takesMaximum: false)
        case .globalMaxPool:
            return GlobalPoolingStep(x: try floats(node, 0), y: try output(node), takesMaximum: true)
        case .softmax(let softmax):
            return try self.softmax(node, softmax)
        case .localResponseNormalization(let normalization):
            if normalization.size < 1 {
                throw NetworkError.invalidNode(node: node.label, reason: "a sum over \(normalization.size) channels")
            }
            return LocalResponseNormalizationStep(
                x: try floats(node, 0), y: try output(node), normalization: normalization)
        case .quantizedConvolution(let convolution):
            return try quantizedConvolution(node, convolution)
        case .quantizedMatMul:
            return try quantizedMatMul(node)
        case .integerConvolution(let convolution):
            return try integerConvolution(node, convolution)
        case .integerMatMul:
            return try integerMatMul(node)
        case .quantizeLinear, .dequantizeLinear:
            return try bytesOneByOne(node) ?? evaluation(node)
        default:
            return try evaluation(node)
        }
    }

    private func clip(_ node: Node) throws -> (any Step)? {
        let x = try input(node, 0)
        func bound(_ index: Int, _ fallback: Float) -> Float? {
            guard node.input(index) != nil else { return fallback }
            guard let tensor = constant(node, index)?.tensor, tensor.elementType == .float32,
                tensor.shape.elementCount == 1
            else { return nil }
            return tensor.withElements(of: Float.self) { $0[0] }
        }
        guard x.elementType == .float32, let minimum = bound(1, -.infinity), let maximum = bound(2, .infinity) else {
            return try evaluation(node)
        }
        return ActivationStep(
            x: x, y: try output(node), activation: .clip(minimum: minimum, maximum: maximum))
    }

    private func softmax(_ node: Node, _ softmax: Softmax) throws -> any Step {
        let x = try floats(node, 0)
        let rank = x.shape.rank
        let axis = softmax.axis < 0 ? softmax.axis + rank : softmax.axis
        let extents = x.shape.extents
        // Type inference has seen to it that the axis exists.
        let end = softmax.flattensTrailingAxes ? rank : axis + 1
        return SoftmaxStep(
            x: x, y: try output(node), count: extents[axis..<end].reduce(1, *), inner: extents[end...].reduce(1, *),
            isLogarithmic: softmax.isLogarithmic)
    }

    private func pooling(_ node: Node, _ pooling: Pooling, _ kind: PoolingStep.Kind) throws -> any Step {
        let (x, y) = (try input(node, 0), try output(node))
        if node.outputs.count > 1, node.outputs[1] != nil {
            throw NetworkError.unsupported(node: node.label, reason: "the indices of the maxima")
        }
        let window = try SlidingWindow(pooling.window, of: node, input: x.shape, output: y.shape)
        if x.elementType == .uint8 || x.elementType == .int8, case .maximum = kind {
            return IntegerMaxPoolingStep(x: x, y: y, window: window)
        }
        try requireFloat(node, x.elementType)
        return PoolingStep(x: x, y: y, window: window, kind: kind)
    }

    /// A step of an operation that does not need a kernel of its own here.
    private func evaluation(_ node: Node) throws -> (any Step)? {
        let outputs = try outputs(node)
        let inputs = try node.inputs.indices.map { try optionalInput(node, $0) }
        if node.operation.keepsBytes, let x = inputs.first, let x, let y = outputs.first, let y,
            x.base == UnsafeRawPointer(y.base), x.shape.elementCount == y.shape.elementCount,
            x.elementType == y.elementType, outputs.count == 1
        {
            // The same bytes under another name. A dropout's arguments are still checked by running it.
            if case .dropout = node.operation {} else { return nil }
        }
        return EvaluationStep(operation: node.operation, inputs: inputs, outputs: outputs, node: node.label)
    }
}
