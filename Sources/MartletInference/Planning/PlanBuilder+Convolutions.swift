import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

extension PlanBuilder {
    /// The algorithm for a convolution.
    func convolution(_ node: Node, _ convolution: Convolution) throws -> any Step {
        let (x, weight, y) = (try floats(node, 0), try floats(node, 1), try output(node))
        let residual = convolution.addsResidual ? try floats(node, 3) : nil
        if let residual, residual.shape != y.shape {
            throw NetworkError.invalidNode(
                node: node.label, reason: "the addend \(residual.shape) does not fit the result \(y.shape)")
        }
        let problem = ConvolutionProblem(
            x: x.floats, weight: weight.floats, y: y.floats, images: x.shape[0], channels: x.shape[1],
            outputs: y.shape[1], groups: convolution.groups,
            window: try SlidingWindow(convolution.window, of: node, input: x.shape, output: y.shape),
            epilogue: Epilogue(
                bias: try optionalFloats(node, 2)?.floats, residual: residual?.floats,
                activation: convolution.activation))
        try requireCountable(node, [problem.pixels, problem.terms, problem.outputs])
        if problem.isDepthwise { return DepthwiseConvolution(problem: problem) }
        if problem.isPointwise { return PointwiseConvolution(problem: problem) }
        return Im2colConvolution(problem: problem)
    }
}
