import MartletKernelsBaseline

/// A convolution in which every output sees one channel: each output plane by itself, without unfolding.
struct DepthwiseConvolution: Step {
    let problem: ConvolutionProblem

    var algorithm: String { "depthwise in planes" }

    func run(_ context: StepContext) {
        context.pool.forEach(problem.images * problem.outputs) { index in
            let (image, output) = index.quotientAndRemainder(dividingBy: problem.outputs)
            let offset = problem.resultOffset(image: image, output: output)
            depthwiseConvolution(
                problem.input(image: image, group: output / problem.outputsInGroup),
                weight: problem.weight + output * problem.window.tapCount, window: problem.window,
                into: problem.y + offset)
            problem.epilogue.apply(to: problem.y, offset: offset, count: problem.pixels, channel: output)
        }
    }
}
