import MartletNetworks

/// A 1x1 convolution on blocks by one step of Strassen's product of matrices: the pixels in a top and a bottom half, the
/// channels in two halves on either side, seven products of halves instead of eight.
///
/// Cost: 7/8 of the multiply-adds, and 11 sums of quarters of pixels, read from a cache that is not the nearest; the four of
/// weights are taken in advance, so that the weights take 7/4 of the memory. The error is some two to three times that of the
/// direct form.
struct StrassenConvolution: Step {
    let operands: BlockedConvolutionOperands
    /// As ``packStrassenWeights(kernel:outputs:inputs:lanes:pairs:into:)`` packs them.
    let weights: WeightPanels
    let strides: (row: Int, column: Int)
    /// Zeros: the products have no bias of their own.
    let zeros: UnsafePointer<Float>

    var algorithm: String { ConvolutionAlgorithm.strassen.title }

    /// Whether the halves of the channels are whole: blocks of input channels, pairs of output blocks.
    static func fits(inputs: Int, outputs: Int, lanes: Int) -> Bool {
        let (inputBlocks, outputBlocks) = ((inputs + lanes - 1) / lanes, (outputs + lanes - 1) / lanes)
        return inputBlocks % 2 == 0 && outputBlocks % 4 == 0
    }

    /// Whether pixels that lie so can be halved: between any two of them where they are without gaps, else between rows.
    static func fits(_ x: BlockedLayout, strides: (row: Int, column: Int), outputHeight: Int) -> Bool {
        outputHeight % 2 == 0 || isFlat(x, strides: strides)
    }

    private static func isFlat(_ x: BlockedLayout, strides: (row: Int, column: Int)) -> Bool {
        x.border.isEmpty && strides == (1, 1)
    }

    private var isFlat: Bool { StrassenConvolution.isFlat(operands.x.layout, strides: strides) }
    private var lanes: Int { operands.kernels.lanes }
    /// Half of the input's blocks.
    private var inputBlocks: Int { operands.x.layout.blocks / 2 }
    /// Half of the output's pairs of blocks.
    private var pairs: Int { operands.y.layout.blocks / 4 }
    private var width: Int { operands.y.layout.width }
    private var pixels: Int { operands.y.layout.height * width }
    /// Pixels of the top half: one more than of the bottom half where their number is odd.
    private var topPixels: Int { (pixels + 1) / 2 }
    /// The weights of a pair of output blocks by half of the input.
    private var panel: Int { inputBlocks * lanes * 2 * lanes }

    /// Pixels that stay together when the halves are cut into chunks: rows where there are gaps between them.
    private var unit: Int { isFlat ? 1 : width }
    private var units: Int { topPixels / unit }

    /// Whether each thread takes chunks of its own, if there are rows enough for them to be even; else they share each, first
    /// the sums, then the products.
    private var areOwn: Bool {
        operands.workers == 1
            || operands.y.layout.images * (operands.y.layout.height / 2) >= 6 * operands.workers
    }

    /// Chunks of an image: so many that the sums and products of one stay in the cache, and as many for every thread.
    private var parts: Int {
        let unitFloats = (4 * inputBlocks + 7 * 2) * unit * lanes
        let fitting = max(1, (areOwn ? 1 : 2) * StrassenConvolution.cacheFloats / unitFloats)
        let parts = (units + fitting - 1) / fitting
        let workers = areOwn ? operands.workers : 1
        return min(units, (parts + workers - 1) / workers * workers)
    }
    private static let cacheFloats = 256_000

    /// Pixels of each half in the largest chunk.
    private var chunkPixels: Int { (units + parts - 1) / parts * unit }

    /// Floats from one sum of pixels, or product, to the next: a cache line more than they take.
    private var sumStep: Int { inputBlocks * chunkPixels * lanes + 16 }
    private var productStep: Int { 2 * chunkPixels * lanes + 16 }
    private var ownFloats: Int { 7 * productStep + weights.scratch(panel) }
    var scratchBytes: Int { (ownFloats + (areOwn ? 4 * sumStep : 0)) * MemoryLayout<Float>.stride }
    var sharedBytes: Int { areOwn ? 0 : 4 * sumStep * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let (parts, units, unit, inputBlocks, pairs) = (parts, units, unit, inputBlocks, pairs)
        let count = operands.y.layout.images * parts
        func chunk(_ task: Int) -> Chunk {
            let (image, part) = task.quotientAndRemainder(dividingBy: parts)
            return Chunk(image: image, pixels: part * units / parts * unit..<(part + 1) * units / parts * unit)
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

    /// Pixels of the top half, and as many of the bottom half.
    private struct Chunk {
        let image: Int
        let pixels: Range<Int>
    }

    private var inputRowStep: Int { operands.x.layout.rowStride * strides.row }
    private var inputColumnStep: Int { lanes * strides.column }
    private var inputBottomStep: Int { topPixels / unit * (isFlat ? lanes : inputRowStep) }

    private func input(_ chunk: Chunk, block: Int) -> UnsafePointer<Float> {
        UnsafePointer(
            operands.x.plane(image: chunk.image, block: block)
                + chunk.pixels.lowerBound / unit * (isFlat ? lanes : inputRowStep))
    }

    /// Rows of the chunk, and their pixels in the top and in the bottom half.
    private func extent(_ chunk: Chunk) -> (rows: Int, columns: Int, bottomColumns: Int) {
        if !isFlat { return (chunk.pixels.count / width, width, width) }
        let below = min(chunk.pixels.upperBound, pixels - topPixels) - chunk.pixels.lowerBound
        return (1, chunk.pixels.count, below)
    }

    private func sum(_ chunk: Chunk, block: Int, into sums: UnsafeMutablePointer<Float>) {
        let (rows, columns, bottomColumns) = extent(chunk)
        operands.kernels.strassenInputs(
            input: input(chunk, block: block), inputRowStep: inputRowStep, inputColumnStep: inputColumnStep,
            channelStep: inputBlocks * operands.x.layout.blockStride, bottomStep: inputBottomStep, rows: rows,
            columns: columns, bottomColumns: bottomColumns, sums: sums + block * chunk.pixels.count * lanes,
            sumStep: sumStep)
    }

    /// The results of a pair of output blocks from each half of the channels.
    private func multiply(
        _ chunk: Chunk, pair: Int, _ sums: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>
    ) {
        let (kernels, panel, lanes, inputBlocks) = (operands.kernels, panel, lanes, inputBlocks)
        let count = chunk.pixels.count
        let (rows, columns, bottomColumns) = extent(chunk)
        let channels = ChannelsRead(inputBlocks * lanes, blockLanes: lanes)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: inputBlocks) { offsets in
            guard let table = offsets.baseAddress else { return }
            /// A product with pixels as they are in the input, or with a sum, whose pixels are one row. The weights of each lie
            /// in the order of use, since each product fetches those of the next.
            func product(
                _ index: Int, _ place: Int, _ input: UnsafePointer<Float>, columnStep: Int, rows: Int, columns: Int
            ) {
                kernels.convolveRows(
                    input: input, inputRowStep: inputRowStep, inputColumnStep: columnStep, offsets: table,
                    offsetCount: inputBlocks, channels: channels, weights: weights, place: (7 * pair + place) * panel,
                    widened: own + 7 * productStep, vectors: 2, bias: zeros, residual: nil, residualRowStep: 0,
                    residualBlockStep: 0, output: own + index * productStep, outputRowStep: columns * lanes,
                    outputBlockStep: count * lanes, rows: rows, columns: columns, minimum: -.infinity,
                    maximum: .infinity)
            }
            for block in 0..<inputBlocks { offsets[block] = block * operands.x.layout.blockStride }
            let (top, right) = (input(chunk, block: 0), input(chunk, block: inputBlocks))
            product(0, 0, top, columnStep: inputColumnStep, rows: rows, columns: columns)
            product(1, 1, right, columnStep: inputColumnStep, rows: rows, columns: columns)
            if bottomColumns > 0 {
                product(3, 2, right + inputBottomStep, columnStep: inputColumnStep, rows: rows, columns: bottomColumns)
            }
            for block in 0..<inputBlocks { offsets[block] = block * count * lanes }
            for sum in 0..<4 {
                product(
                    sum == 3 ? 2 : 4 + sum, 3 + sum, sums + sum * sumStep, columnStep: lanes, rows: 1, columns: count)
            }
        }
        for vector in 0..<2 { finish(chunk, block: 2 * pair + vector, products: own + vector * count * lanes) }
    }

    /// The results of a block of each half of the output channels.
    private func finish(_ chunk: Chunk, block: Int, products: UnsafePointer<Float>) {
        let (y, lanes, width, topPixels) = (operands.y, lanes, width, topPixels)
        let added = operands.residual?.layout
        let channels = 2 * pairs
        /// Floats from a plane's first pixel to a pixel.
        func place(_ pixel: Int, _ layout: BlockedLayout) -> Int {
            pixel / width * layout.rowStride + pixel % width * lanes
        }
        let isWithoutGaps = y.layout.border.isEmpty && (added?.border.isEmpty ?? true)
        var first = chunk.pixels.lowerBound
        while first < chunk.pixels.upperBound {
            let bottom = first + topPixels
            let isTopAlone = bottom >= pixels
            // To the end of the row, of the top half's or the bottom half's, or of the bottom half.
            var end = min(chunk.pixels.upperBound, isTopAlone ? topPixels : pixels - topPixels)
            if !isWithoutGaps { end = min(end, first + width - max(first % width, bottom % width)) }
            let residual = operands.residual.map { value in
                UnsafePointer(value.plane(image: chunk.image, block: block) + place(first, value.layout))
            }
            operands.kernels.strassenOutputs(
                products: products + (first - chunk.pixels.lowerBound) * lanes, productStep: productStep,
                bias: operands.bias + block * lanes, biasStep: channels * lanes, residual: residual,
                residualChannelStep: channels * (added?.blockStride ?? 0),
                residualBottomStep: added.map { place(bottom, $0) - place(first, $0) } ?? 0,
                output: y.plane(image: chunk.image, block: block) + place(first, y.layout),
                channelStep: channels * y.layout.blockStride,
                bottomStep: place(bottom, y.layout) - place(first, y.layout), count: end - first,
                isTopAlone: isTopAlone, minimum: operands.clamp.minimum, maximum: operands.clamp.maximum)
            first = end
        }
    }
}
