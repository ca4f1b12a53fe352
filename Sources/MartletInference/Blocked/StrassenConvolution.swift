import MartletNetworks

/// A convolution on blocks, 1x1 or with a stride, by one step of Strassen's product of matrices: the pixels in a top and a bottom
/// half, the channels in two halves on either side, seven products of halves instead of eight.
///
/// Cost: 7/8 of the multiply-adds, and 11 sums of quarters of pixels, read from a cache that is not the nearest; the four of
/// weights are taken in advance, so that the weights take 7/4 of the memory. The error is some two to three times that of the
/// direct form.
struct StrassenConvolution: Step {
    let operands: BlockedConvolutionOperands
    /// As ``packStrassenWeights(kernel:outputs:inputs:lanes:pairs:into:)`` packs them.
    let weights: WeightPanels
    /// What taps see, in floats from what tap 0 sees.
    let taps: [Int]
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int
    let strides: (row: Int, column: Int)
    /// Zeros: the products have no bias of their own.
    let zeros: UnsafePointer<Float>

    var algorithm: String { ConvolutionAlgorithm.strassen.title }

    /// Whether the halves are whole: rows, blocks of input channels, pairs of output blocks.
    static func fits(inputs: Int, output: [Int], lanes: Int) -> Bool {
        let (inputBlocks, outputBlocks) = ((inputs + lanes - 1) / lanes, (output[1] + lanes - 1) / lanes)
        return output[2] % 2 == 0 && inputBlocks % 2 == 0 && outputBlocks % 4 == 0
    }

    private var lanes: Int { operands.kernels.lanes }
    /// Half of the input's blocks.
    private var inputBlocks: Int { operands.x.layout.blocks / 2 }
    /// Half of the output's pairs of blocks.
    private var pairs: Int { operands.y.layout.blocks / 4 }
    private var width: Int { operands.y.layout.width }
    /// Rows of each half.
    private var height: Int { operands.y.layout.height / 2 }
    /// The weights of a pair of output blocks by half of the input.
    private var panel: Int { inputBlocks * taps.count * lanes * 2 * lanes }

    /// Rows of input that `rows` rows of output see.
    private func span(_ rows: Int) -> Int {
        taps.count == 1 ? rows : (rows - 1) * strides.row + (taps.last ?? 0) / operands.x.layout.rowStride + 1
    }
    /// Floats of a row of a sum: the pixels that a single tap sees, or all there are, the border included.
    private var sumRow: Int { taps.count == 1 ? width * lanes : operands.x.layout.rowStride }
    /// Floats from the beginning of a row of a sum to what tap 0 sees: a border may be wider than this layer asks for.
    private var sumStart: Int {
        taps.count == 1 ? 0 : (operands.x.layout.origin + start) % operands.x.layout.rowStride
    }
    /// Floats of a sum of two blocks for `rows` rows of output.
    private func sumBlock(_ rows: Int) -> Int { span(rows) * sumRow }

    /// Whether each thread takes chunks of its own, if there are rows enough for them to be even; else they share each, first
    /// the sums, then the products.
    private var areOwn: Bool {
        operands.workers == 1 || operands.y.layout.images * height >= 6 * operands.workers
    }

    /// Chunks of an image: so many that the sums and products of one stay in the cache, and as many for every thread.
    private var parts: Int {
        let rowFloats = 4 * inputBlocks * sumRow * (taps.count == 1 ? 1 : strides.row) + 7 * 2 * width * lanes
        let fitting = max(1, (areOwn ? 1 : 2) * StrassenConvolution.cacheFloats / rowFloats)
        let parts = (height + fitting - 1) / fitting
        let workers = areOwn ? operands.workers : 1
        return min(height, (parts + workers - 1) / workers * workers)
    }
    private static let cacheFloats = 256_000

    /// Rows of each half in the largest chunk.
    private var rows: Int { (height + parts - 1) / parts }

    /// Floats from one sum of pixels, or product, to the next: a cache line more than they take.
    private var sumStep: Int { inputBlocks * sumBlock(rows) + 16 }
    private var productStep: Int { 2 * rows * width * lanes + 16 }
    private var ownFloats: Int { 7 * productStep + weights.scratch(panel) }
    var scratchBytes: Int { (ownFloats + (areOwn ? 4 * sumStep : 0)) * MemoryLayout<Float>.stride }
    var sharedBytes: Int { areOwn ? 0 : 4 * sumStep * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let (parts, height, inputBlocks, pairs) = (parts, height, inputBlocks, pairs)
        let count = operands.y.layout.images * parts
        func chunk(_ task: Int) -> Chunk {
            let (image, part) = task.quotientAndRemainder(dividingBy: parts)
            let firstRow = part * height / parts
            return Chunk(image: image, firstRow: firstRow, rows: (part + 1) * height / parts - firstRow)
        }
        if areOwn {
            context.pool.forEach(count) { task, worker in
                let chunk = chunk(task)
                let own = context.floats(worker: worker)
                let sums = own + ownFloats
                for block in 0..<inputBlocks { sum(chunk, block: block, into: sums) }
                for pair in 0..<pairs { multiply(chunk, pair: pair, sums, own) }
            }
        } else {
            let sums = context.sharedFloats
            for task in 0..<count {
                let chunk = chunk(task)
                context.pool.forEach(inputBlocks) { sum(chunk, block: $0, into: sums) }
                context.pool.forEach(pairs) { pair, worker in
                    multiply(chunk, pair: pair, sums, context.floats(worker: worker))
                }
            }
        }
    }

    /// Rows of the top half and the same of the bottom half.
    private struct Chunk {
        let image: Int
        let firstRow: Int
        let rows: Int
    }

    private var inputRowStep: Int { operands.x.layout.rowStride * strides.row }
    private var inputColumnStep: Int { lanes * strides.column }
    private var inputBottomStep: Int { height * inputRowStep }

    private func input(_ chunk: Chunk, block: Int) -> UnsafePointer<Float> {
        UnsafePointer(operands.x.plane(image: chunk.image, block: block) + start + chunk.firstRow * inputRowStep)
    }

    private func sum(_ chunk: Chunk, block: Int, into sums: UnsafeMutablePointer<Float>) {
        let isPoint = taps.count == 1
        operands.kernels.strassenInputs(
            input: input(chunk, block: block) - sumStart, inputRowStep: isPoint ? inputRowStep : sumRow,
            inputColumnStep: isPoint ? inputColumnStep : lanes,
            channelStep: inputBlocks * operands.x.layout.blockStride, bottomStep: inputBottomStep,
            rows: span(chunk.rows), columns: sumRow / lanes, sums: sums + block * sumBlock(chunk.rows), sumStep: sumStep
        )
    }

    /// The results of a pair of output blocks from each half of the channels.
    private func multiply(
        _ chunk: Chunk, pair: Int, _ sums: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>
    ) {
        let (x, y, kernels, panel) = (operands.x.layout, operands.y.layout, operands.kernels, panel)
        let (width, rows, lanes, inputBlocks) = (width, chunk.rows, lanes, inputBlocks)
        let isPoint = taps.count == 1
        withUnsafeTemporaryAllocation(of: Int.self, capacity: inputBlocks * taps.count) { offsets in
            guard let table = offsets.baseAddress else { return }
            func fill(blockStep: Int) {
                for block in 0..<inputBlocks {
                    for (tap, offset) in taps.enumerated() {
                        offsets[block * taps.count + tap] = block * blockStep + offset
                    }
                }
            }
            /// A product with pixels as they are in the input, or with a sum, whose pixels are one row. The weights of each lie
            /// in the order of use, since each product fetches those of the next.
            func product(
                _ index: Int, _ place: Int, _ input: UnsafePointer<Float>, rowStep: Int, columnStep: Int, rows: Int,
                columns: Int
            ) {
                kernels.convolveRows(
                    input: input, inputRowStep: rowStep, inputColumnStep: columnStep, offsets: table,
                    offsetCount: offsets.count, lanes: lanes, weights: weights, place: (7 * pair + place) * panel,
                    widened: own + 7 * productStep, vectors: 2, bias: zeros, residual: nil, residualRowStep: 0,
                    residualBlockStep: 0, output: own + index * productStep, outputRowStep: columns * lanes,
                    outputBlockStep: chunk.rows * width * lanes, rows: rows, columns: columns, minimum: -.infinity,
                    maximum: .infinity)
            }
            fill(blockStep: x.blockStride)
            let (top, right) = (input(chunk, block: 0), input(chunk, block: inputBlocks))
            for (place, input) in [top, right, right + inputBottomStep].enumerated() {
                product(
                    place == 2 ? 3 : place, place, input, rowStep: inputRowStep, columnStep: inputColumnStep,
                    rows: rows, columns: width)
            }
            fill(blockStep: sumBlock(rows))
            for sum in 0..<4 {
                product(
                    sum == 3 ? 2 : 4 + sum, 3 + sum, sums + sum * sumStep + sumStart,
                    rowStep: isPoint ? 0 : inputRowStep,
                    columnStep: isPoint ? lanes : inputColumnStep, rows: isPoint ? 1 : rows,
                    columns: isPoint ? rows * width : width)
            }
        }
        let channelStep = 2 * pairs
        for vector in 0..<2 {
            let block = 2 * pair + vector
            let residual = operands.residual.map {
                UnsafePointer($0.plane(image: chunk.image, block: block) + chunk.firstRow * $0.layout.rowStride)
            }
            let added = operands.residual?.layout
            kernels.strassenOutputs(
                products: own + vector * rows * width * lanes, productStep: productStep,
                bias: operands.bias + block * lanes, biasStep: channelStep * lanes, residual: residual,
                residualRowStep: added?.rowStride ?? 0, residualChannelStep: channelStep * (added?.blockStride ?? 0),
                residualBottomStep: height * (added?.rowStride ?? 0),
                output: operands.y.plane(image: chunk.image, block: block) + chunk.firstRow * y.rowStride,
                outputRowStep: y.rowStride, channelStep: channelStep * y.blockStride,
                bottomStep: height * y.rowStride, rows: rows, columns: width, minimum: operands.clamp.minimum,
                maximum: operands.clamp.maximum)
        }
    }
}
