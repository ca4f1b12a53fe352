import MartletKernelsBaseline
import MartletLinearAlgebra

/// A convolution as a matrix product: a tile of output pixels is unfolded (``im2col``), multiplied by the weight, and
/// finished while it is in the cache.
///
/// Serves any window, dilation and number of groups. Cost: `outputs * terms * pixels` multiply-adds an image, and
/// `terms * pixels` elements copied.
struct Im2colConvolution: Step {
    private let problem: ConvolutionProblem
    private let tiling: ConvolutionTiling

    init(problem: ConvolutionProblem) {
        self.problem = problem
        tiling = ConvolutionTiling(pixels: problem.pixels, terms: problem.terms, outputs: problem.outputsInGroup)
    }

    var scratchBytes: Int { problem.terms * tiling.tilePixels * MemoryLayout<Float>.stride }

    var algorithm: String { "unfolded" }

    func run(_ context: StepContext) {
        // A piece is a tile of one group of one image.
        let count = problem.images * problem.groups * tiling.tileCount
        if count >= context.pool.threadCount {
            context.pool.forEach(count) { piece, worker in
                let columns = context.floats(worker: worker)
                unfold(piece, channels: 0..<problem.channelsInGroup, into: columns)
                for block in 0..<tiling.blockCount { multiply(piece, block: block, columns: columns) }
            }
        } else {
            // Too few pieces to go round: the threads share each one. The products are the same.
            let columns = context.floats(worker: 0)
            for piece in 0..<count {
                context.forEachPart(of: problem.channelsInGroup, size: 16) { channels in
                    unfold(piece, channels: channels, into: columns)
                }
                context.pool.forEach(tiling.blockCount) { multiply(piece, block: $0, columns: columns) }
            }
        }
    }

    private func place(_ piece: Int) -> (image: Int, group: Int, pixels: Range<Int>) {
        let (rest, tile) = piece.quotientAndRemainder(dividingBy: tiling.tileCount)
        let (image, group) = rest.quotientAndRemainder(dividingBy: problem.groups)
        return (image, group, tiling.tile(tile))
    }

    private func unfold(_ piece: Int, channels: Range<Int>, into columns: UnsafeMutablePointer<Float>) {
        let (image, group, pixels) = place(piece)
        im2col(
            problem.input(image: image, group: group) + channels.lowerBound * problem.window.inputCount,
            channels: channels.count, window: problem.window, firstPixel: pixels.lowerBound, pixelCount: pixels.count,
            into: columns + channels.lowerBound * problem.window.tapCount * pixels.count, rowStride: pixels.count)
    }

    private func multiply(_ piece: Int, block: Int, columns: UnsafeMutablePointer<Float>) {
        let (image, group, pixels) = place(piece)
        let outputs = tiling.block(block)
        let first = group * problem.outputsInGroup + outputs.lowerBound
        let offset = problem.resultOffset(image: image, output: first) + pixels.lowerBound
        BLAS.gemm(
            m: outputs.count, n: pixels.count, k: problem.terms, a: problem.weight + first * problem.terms,
            lda: problem.terms, b: columns, ldb: pixels.count, c: problem.y + offset, ldc: problem.pixels)
        for row in 0..<outputs.count {
            problem.epilogue.apply(
                to: problem.y, offset: offset + row * problem.pixels, count: pixels.count, channel: first + row)
        }
    }
}
