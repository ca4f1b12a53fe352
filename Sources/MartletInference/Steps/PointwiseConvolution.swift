import MartletLinearAlgebra

/// A 1x1 convolution of stride 1: a product of the weight with the image as it lies, tile by tile.
struct PointwiseConvolution: Step {
    private let problem: ConvolutionProblem
    private let tiling: ConvolutionTiling

    init(problem: ConvolutionProblem) {
        self.problem = problem
        tiling = ConvolutionTiling(pixels: problem.pixels, terms: problem.terms, outputs: problem.outputsInGroup)
    }

    var algorithm: String { "matrix product" }

    func run(_ context: StepContext) {
        let count = problem.images * problem.groups * tiling.tileCount * tiling.blockCount
        context.pool.forEach(count) { index in
            let (piece, block) = index.quotientAndRemainder(dividingBy: tiling.blockCount)
            let (rest, tile) = piece.quotientAndRemainder(dividingBy: tiling.tileCount)
            let (image, group) = rest.quotientAndRemainder(dividingBy: problem.groups)
            let (pixels, outputs) = (tiling.tile(tile), tiling.block(block))
            let first = group * problem.outputsInGroup + outputs.lowerBound
            let offset = problem.resultOffset(image: image, output: first) + pixels.lowerBound
            BLAS.gemm(
                m: outputs.count, n: pixels.count, k: problem.terms, a: problem.weight + first * problem.terms,
                lda: problem.terms, b: problem.input(image: image, group: group) + pixels.lowerBound,
                ldb: problem.pixels, c: problem.y + offset, ldc: problem.pixels)
            for row in 0..<outputs.count {
                problem.epilogue.apply(
                    to: problem.y, offset: offset + row * problem.pixels, count: pixels.count, channel: first + row)
            }
        }
    }
}
