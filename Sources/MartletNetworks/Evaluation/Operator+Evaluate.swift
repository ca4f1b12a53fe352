import MartletKernelsBaseline
import MartletTensors

extension Operator {
    /// Computes this operation if it is one of those that move, compare or count elements, or do elementwise
    /// arithmetic on any type, or quantize; `false`, with nothing written, if it is one of the others (convolutions, pooling,
    /// matrix products, normalisations and functions of floating-point numbers).
    ///
    /// Whoever calls has decided the outputs' types and shapes; an output that contradicts the inputs throws, and
    /// nothing is read or written outside the views. For elementwise arithmetic an output may lie on an input of its
    /// own shape; otherwise outputs overlap nothing.
    ///
    /// - Parameters:
    ///   - inputs: In the operation's order, `nil` for one left out.
    ///   - outputs: In the operation's order, `nil` for one nobody wants.
    ///   - node: What to call the node in an error.
    /// - Throws: ``NetworkError``.
    public func evaluate(inputs: [TensorView?], outputs: [MutableTensorView?], node: String? = nil) throws -> Bool {
        let evaluation = Evaluation(node: node ?? "'\(kind)'", inputs: inputs, outputs: outputs)
        switch self {
        case .arithmetic(let arithmetic): try evaluation.arithmetic(arithmetic)
        case .sum: try evaluation.sum()
        case .clip: try evaluation.clip()
        case .concat(let axis): try evaluation.concat(axis: axis)
        case .split(let axis): try evaluation.split(axis: axis)
        case .reshape, .flatten, .squeeze, .unsqueeze: try evaluation.copyAll()
        case .identity: try evaluation.identity()
        case .dropout: try evaluation.dropout()
        case .transpose(let permutation): try evaluation.transpose(permutation)
        case .constantOfShape(let value): try evaluation.constantOfShape(value)
        case .shape(let start, let end): try evaluation.shape(start: start, end: end)
        case .gather(let axis): try evaluation.gather(axis: axis)
        case .slice: try evaluation.slice()
        case .cast: try evaluation.cast()
        case .pad(let mode): try evaluation.pad(mode)
        case .expand: try evaluation.expand()
        case .equal: try evaluation.equal()
        case .select: try evaluation.select()
        case .reduceMean(_, let keepsInputIfNoAxes): try evaluation.reduceMean(keepsInputIfNoAxes: keepsInputIfNoAxes)
        case .quantizeLinear(let axis, _): try evaluation.quantizeLinear(axis: axis)
        case .dequantizeLinear(let axis): try evaluation.dequantizeLinear(axis: axis)
        case .dynamicQuantizeLinear: try evaluation.dynamicQuantizeLinear()
        case .convolution, .batchNormalization, .activation, .parametricRelu, .maxPool, .averagePool,
            .globalAveragePool, .globalMaxPool, .gemm, .matMul, .softmax, .localResponseNormalization,
            .quantizedConvolution, .quantizedMatMul, .integerConvolution, .integerMatMul:
            return false
        }
        return true
    }

    /// The name of the operation without its attributes, such as `convolution`.
    public var kind: String {
        // A case with a payload has it as its only child, labelled with the case.
        Mirror(reflecting: self).children.first?.label ?? "\(self)"
    }
}
