import MartletInference
import MartletKernelsBaseline
import MartletLinearAlgebra
import MartletNetworks
import MartletTensors

extension TrainingPlanner {
    /// The step of a node. To be called in backward order: the first to write to a gradient begins it.
    mutating func step(_ node: Node) throws -> any DifferentiableStep {
        switch node.operation {
        case .convolution(let convolution): return try self.convolution(node, convolution)
        case .gemm(let gemm): return try self.gemm(node, gemm)
        case .matMul: return try matMul(node)
        case .batchNormalization(let epsilon): return try normalization(node, epsilon: epsilon)
        case .activation(let activation): return try self.activation(node, activation)
        case .clip: return try clip(node)
        case .parametricRelu:
            return SlopeStep(
                x: try input(node, 0), slope: try input(node, 1), y: try output(node), gradient: gradient(node),
                xTarget: target(node, 0), slopeTarget: target(node, 1))
        case .maxPool(let pooling): return try self.pooling(node, pooling, .maximum)
        case .averagePool(let pooling, let countsPadding):
            return try self.pooling(node, pooling, .average(countsPadding: countsPadding))
        case .globalAveragePool, .globalMaxPool:
            return GlobalPoolingStep(
                x: try input(node, 0), y: try output(node), isMaximum: node.operation == .globalMaxPool,
                gradient: gradient(node), target: target(node, 0))
        case .reduceMean(_, let keepsInput): return try mean(node, keepsInput: keepsInput)
        case .arithmetic(let operation):
            return ArithmeticStep(
                a: try input(node, 0), b: try input(node, 1), y: try output(node), operation: operation,
                gradient: gradient(node), aTarget: target(node, 0), bTarget: target(node, 1))
        case .sum:
            let inputs = try node.inputs.indices.map { (value: try input(node, $0), gradient: target(node, $0)) }
            return SumStep(inputs: inputs, y: try output(node), gradient: gradient(node))
        case .softmax(let softmax): return try self.softmax(node, softmax)
        case .localResponseNormalization(let normalization):
            return ResponseNormalizationStep(
                x: try input(node, 0), y: try output(node), normalization: normalization, gradient: gradient(node),
                target: target(node, 0))
        default: return try move(node)
        }
    }

    // MARK: Layers

    private mutating func convolution(_ node: Node, _ convolution: Convolution) throws -> any DifferentiableStep {
        let (x, weight, y) = (try input(node, 0), try input(node, 1), try output(node))
        try requireCountable(node, x.extents + weight.extents + y.extents)
        let window = try SlidingWindow(
            convolution.window, of: node, input: Shape(x.extents), output: Shape(y.extents))
        let residual = convolution.addsResidual ? try input(node, 3) : nil
        let bias = try optionalInput(node, 2)
        // In the order in which the step writes them: the residual may be the input.
        let residualGradient = convolution.addsResidual ? target(node, 3) : nil
        let (biasGradient, weightGradient) = (target(node, 2), target(node, 1))
        return try ConvolutionStep(
            ConvolutionStep.Operands(
                layer: node.name, x: x, weight: weight, bias: bias, residual: residual, y: y,
                gradient: gradient(node), xGradient: target(node, 0), weightGradient: weightGradient,
                biasGradient: biasGradient, residualGradient: residualGradient),
            convolution: convolution, window: window)
    }

    private mutating func gemm(_ node: Node, _ gemm: Gemm) throws -> any DifferentiableStep {
        let (a, b, y) = (try input(node, 0), try input(node, 1), try output(node))
        guard a.extents.count == 2, b.extents.count == 2, y.extents.count == 2 else {
            throw NetworkError.unsupported(node: node.label, reason: "training a Gemm of other than matrices")
        }
        try requireCountable(node, a.extents + b.extents)
        var addend: ProductStep.Addend?
        if let c = try optionalInput(node, 2) {
            let strides = c.strides(broadcastTo: y.extents)
            addend = ProductStep.Addend(
                base: c.base, rowStride: strides[0], columnStride: strides[1], factor: gemm.beta,
                gradient: target(node, 2))
        }
        return ProductStep(
            ProductStep.Operands(
                layer: node.name,
                a: ProductStep.Factor(base: a.base, isTransposed: gemm.transposesA, gradient: target(node, 0)),
                b: ProductStep.Factor(base: b.base, isTransposed: gemm.transposesB, gradient: target(node, 1)),
                addend: addend, x: a, y: y, gradient: gradient(node), rows: y.extents[0], columns: y.extents[1],
                terms: a.extents[gemm.transposesA ? 0 : 1], factor: gemm.alpha, activation: gemm.activation))
    }

    private mutating func matMul(_ node: Node) throws -> any DifferentiableStep {
        let (a, b, y) = (try input(node, 0), try input(node, 1), try output(node))
        guard a.extents.count >= 2, b.extents.count == 2 else {
            throw NetworkError.unsupported(node: node.label, reason: "training a MatMul of stacks of matrices")
        }
        let rows = a.extents.dropLast().reduce(1, *)
        try requireCountable(node, [rows] + b.extents)
        return ProductStep(
            ProductStep.Operands(
                layer: node.name, a: ProductStep.Factor(base: a.base, isTransposed: false, gradient: target(node, 0)),
                b: ProductStep.Factor(base: b.base, isTransposed: false, gradient: target(node, 1)), addend: nil,
                x: a, y: y, gradient: gradient(node), rows: rows, columns: b.extents[1], terms: b.extents[0],
                factor: 1, activation: nil))
    }

    private func requireCountable(_ node: Node, _ extents: [Int]) throws {
        if let extent = extents.first(where: { $0 > BLAS.maximumExtent }) {
            throw NetworkError.unsupported(node: node.label, reason: "an extent of \(extent)")
        }
    }

    private mutating func normalization(_ node: Node, epsilon: Float) throws -> any DifferentiableStep {
        if let momentum, node.input(3) == nil || constant(node, 3) == nil || constant(node, 4) == nil {
            throw NetworkError.unsupported(
                node: node.label, reason: "learning with momentum \(momentum) statistics that are computed")
        }
        let (biasTarget, scaleTarget) = (target(node, 2), target(node, 1))
        return NormalizationStep(
            NormalizationStep.Operands(
                x: try input(node, 0), y: try output(node), scale: try input(node, 1).base,
                bias: try input(node, 2).base, mean: try input(node, 3).base, variance: try input(node, 4).base,
                epsilon: epsilon, gradient: gradient(node), target: target(node, 0), scaleTarget: scaleTarget,
                biasTarget: biasTarget), momentum: momentum)
    }

    // MARK: Elementwise functions and windows

    private mutating func activation(_ node: Node, _ activation: Activation) throws -> any DifferentiableStep {
        ActivationStep(
            x: try input(node, 0), y: try output(node), activation: activation, gradient: gradient(node),
            target: target(node, 0))
    }

    private mutating func clip(_ node: Node) throws -> any DifferentiableStep {
        func bound(_ index: Int, _ fallback: Float) throws -> Float {
            guard node.input(index) != nil else { return fallback }
            guard let tensor = constant(node, index), tensor.elementType == .float32, tensor.shape.elementCount == 1
            else { throw NetworkError.unsupported(node: node.label, reason: "training with bounds that are computed") }
            return tensor.withElements(of: Float.self) { $0[0] }
        }
        return try activation(node, .clip(minimum: bound(1, -.infinity), maximum: bound(2, .infinity)))
    }

    private mutating func pooling(
        _ node: Node, _ pooling: Pooling, _ kind: PoolingStep.Kind
    ) throws -> any DifferentiableStep {
        let (x, y) = (try input(node, 0), try output(node))
        return PoolingStep(
            x: x, y: y,
            window: try SlidingWindow(pooling.window, of: node, input: Shape(x.extents), output: Shape(y.extents)),
            kind: kind, gradient: gradient(node), target: target(node, 0))
    }

    private mutating func softmax(_ node: Node, _ softmax: Softmax) throws -> any DifferentiableStep {
        let x = try input(node, 0)
        let rank = x.extents.count
        let axis = softmax.axis < 0 ? softmax.axis + rank : softmax.axis
        let end = softmax.flattensTrailingAxes ? rank : axis + 1
        return SoftmaxStep(
            x: x, y: try output(node), count: x.extents[axis..<end].reduce(1, *),
            inner: x.extents[end...].reduce(1, *), isLogarithmic: softmax.isLogarithmic, gradient: gradient(node),
            target: target(node, 0))
    }

    private mutating func mean(_ node: Node, keepsInput: Bool) throws -> any DifferentiableStep {
        let x = try input(node, 0)
        let given = try integers(node, 1).map { $0.map { $0 < 0 ? $0 + x.extents.count : $0 } } ?? []
        if given.isEmpty, keepsInput { return try move(node) }
        let axes = given.isEmpty ? Set(x.extents.indices) : Set(given)
        return MeanStep(x: x, y: try output(node), axes: axes, gradient: gradient(node), target: target(node, 0))
    }

    /// The integers of a constant input; `nil` if it is left out.
    func integers(_ node: Node, _ index: Int) throws -> [Int]? {
        guard node.input(index) != nil else { return nil }
        switch constant(node, index) {
        case let tensor? where tensor.elementType == .int64: return try tensor.elements(Int64.self).map { Int($0) }
        case let tensor? where tensor.elementType == .int32: return try tensor.elements(Int32.self).map { Int($0) }
        default:
            throw NetworkError.unsupported(
                node: node.label, reason: "training where its input \(index) is not a constant of integers")
        }
    }
}
