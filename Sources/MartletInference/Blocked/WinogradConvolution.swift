/// A square convolution on blocks by Winograd's minimal filtering: tiles of the input are transformed, multiplied
/// position by position, and transformed back, a chunk of tiles at a time so that all of it stays in the cache.
///
/// Cost: ``WinogradTile`` has the products; F(4x4, 3x3) takes about 150 additions a tile and channel. The
/// error against the direct form is some 1e-6 of the largest value.
struct WinogradConvolution: Step {
    let operands: BlockedConvolutionOperands
    let tile: WinogradTile
    /// As ``packWinogradWeights(_:kernel:outputs:inputs:lanes:pairs:into:)`` packs them.
    let weights: WeightPanels
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int
    /// Zeros: the products have no bias of their own.
    let zeros: UnsafePointer<Float>

    // Small layers are done in microseconds: they would notice if what follows were worked out anew for every chunk.

    /// The positions that each matrix of weights is for.
    private let positions: WinogradTile.Positions
    /// Tiles that are done at once.
    private let chunk: Int
    /// Whether each thread takes chunks of its own.
    private let splitsByChunk: Bool
    /// Floats from one position's transformed input, or products, to the next. A cache line more than they take: steps of
    /// large powers of two would fall on the same few lines of the cache.
    private let inputStep: Int
    private let outputStep: Int
    private let tilesPerRow: Int
    private let tileCount: Int
    private let channels: ChannelsRead

    init(
        operands: BlockedConvolutionOperands, tile: WinogradTile, weights: WeightPanels, start: Int,
        zeros: UnsafePointer<Float>
    ) {
        (self.operands, self.tile, self.weights, self.start, self.zeros) = (operands, tile, weights, start, zeros)
        positions = tile.positionTable
        let (x, y, lanes) = (operands.x.layout, operands.y.layout, operands.kernels.lanes)
        channels = ChannelsRead(x.channels, blockLanes: lanes)
        tilesPerRow = (y.width + tile.size - 1) / tile.size
        tileCount = tilesPerRow * ((y.height + tile.size - 1) / tile.size)
        let float = MemoryLayout<Float>.stride
        let chunks = WinogradChunks(
            tileCount: tileCount, tileBytes: tile.positions * (x.blocks + y.blocks) * lanes * float,
            weightBytes: tile.kernelPositions * x.blocks * y.blocks * lanes * lanes * float, images: y.images,
            workers: operands.workers)
        (chunk, splitsByChunk) = (chunks.tiles, chunks.areOwn)
        inputStep = x.blocks * chunk * lanes + 16
        outputStep = y.blocks * chunk * lanes + 16
    }

    var algorithm: String { ConvolutionAlgorithm.winograd(tile).title }

    private var inputBlocks: Int { operands.x.layout.blocks }
    private var outputBlocks: Int { operands.y.layout.blocks }
    private var lanes: Int { operands.kernels.lanes }

    private var chunkFloats: Int { tile.positions * (inputStep + outputStep) }
    /// Floats of a thread before the panel of weights that it has widened.
    private var ownFloats: Int { splitsByChunk ? chunkFloats : 0 }
    /// The weights of a block of output channels at one position.
    private var blockWeights: Int { operands.x.layout.channels * lanes }
    var scratchBytes: Int { (ownFloats + weights.scratch(2 * blockWeights)) * MemoryLayout<Float>.stride }
    var sharedBytes: Int { splitsByChunk ? 0 : chunkFloats * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let parts = (tileCount + chunk - 1) / chunk
        let images = operands.y.layout.images
        if splitsByChunk {
            context.pool.forEach(images * parts) { task, worker in
                let (image, part) = task.quotientAndRemainder(dividingBy: parts)
                let tiles = part * chunk..<min(tileCount, (part + 1) * chunk)
                let order = order(of: tiles)
                let (v, m) = memory(context.floats(worker: worker))
                for block in 0..<inputBlocks { transformInput(image: image, block: block, order, v) }
                let widened = context.floats(worker: worker) + ownFloats
                for kernel in 0..<tile.kernelPositions { multiply(kernel, order, v, m, widened) }
                for block in 0..<outputBlocks { transformOutput(image: image, block: block, order, m) }
            }
        } else {
            // Few tiles: the threads share each chunk, phase by phase.
            let (v, m) = memory(context.sharedFloats)
            for task in 0..<images * parts {
                let (image, part) = task.quotientAndRemainder(dividingBy: parts)
                let order = order(of: part * chunk..<min(tileCount, (part + 1) * chunk))
                context.pool.forEach(inputBlocks) { transformInput(image: image, block: $0, order, v) }
                context.pool.forEach(tile.kernelPositions) { kernel, worker in
                    multiply(kernel, order, v, m, context.floats(worker: worker))
                }
                context.pool.forEach(outputBlocks) { transformOutput(image: image, block: $0, order, m) }
            }
        }
    }

    /// Transformed input `[positions][inputBlocks][chunk][lanes]`, and products `[positions][outputBlocks][chunk][lanes]`.
    private func memory(
        _ base: UnsafeMutablePointer<Float>
    ) -> (v: UnsafeMutablePointer<Float>, m: UnsafeMutablePointer<Float>) {
        (base, base + tile.positions * inputStep)
    }

    private func order(of tiles: Range<Int>) -> WinogradOrder {
        WinogradOrder(tiles, of: tile, height: operands.y.layout.height, width: operands.y.layout.width)
    }

    private func transformInput(image: Int, block: Int, _ order: WinogradOrder, _ v: UnsafeMutablePointer<Float>) {
        let kernels = operands.kernels
        let input = UnsafePointer(operands.x.plane(image: image, block: block) + start)
        let target = v + block * chunk * lanes
        order.forEachRun { tiles, place in
            kernels.winogradInput(
                tile, input: input, inputRowStep: operands.x.layout.rowStride, tilesPerRow: tilesPerRow,
                firstTile: tiles.lowerBound, tileCount: tiles.count, output: target + place * lanes,
                positionStep: inputStep)
        }
    }

    /// The products of a transformed kernel, at every position that it is for.
    private func multiply(
        _ kernel: Int, _ order: WinogradOrder, _ v: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>,
        _ widened: UnsafeMutablePointer<Float>
    ) {
        let step = chunk * lanes
        let blockWeights = blockWeights
        withUnsafeTemporaryAllocation(of: Int.self, capacity: inputBlocks) { offsets in
            for block in 0..<inputBlocks { offsets[block] = block * step }
            guard let table = offsets.baseAddress else { return }
            for pair in 0..<(outputBlocks + 1) / 2 {
                let vectors = min(2, outputBlocks - 2 * pair)
                let place = (kernel * outputBlocks + 2 * pair) * blockWeights
                for index in positions.range(ofKernel: kernel) {
                    let position = positions.all[index]
                    let places = order.places(of: position)
                    if places.isEmpty { continue }
                    let first = places.lowerBound * lanes
                    operands.kernels.convolveRows(
                        input: v + position.index * inputStep + first, inputRowStep: 0, inputColumnStep: lanes,
                        offsets: table, offsetCount: inputBlocks, channels: channels, weights: weights, place: place,
                        widened: widened, vectors: vectors, bias: zeros, residual: nil, residualRowStep: 0,
                        residualBlockStep: 0, output: m + position.index * outputStep + 2 * pair * step + first,
                        outputRowStep: 0, outputBlockStep: step, rows: 1, columns: places.count, minimum: -.infinity,
                        maximum: .infinity)
                }
            }
        }
    }

    private func transformOutput(image: Int, block: Int, _ order: WinogradOrder, _ m: UnsafeMutablePointer<Float>) {
        let (kernels, y) = (operands.kernels, operands.y)
        let products = UnsafePointer(m + block * chunk * lanes)
        let residual = operands.residual.map { UnsafePointer($0.plane(image: image, block: block)) }
        order.forEachRun { tiles, place in
            kernels.winogradOutput(
                tile, products: products + place * lanes, positionStep: outputStep, tilesPerRow: tilesPerRow,
                firstTile: tiles.lowerBound, tileCount: tiles.count, bias: operands.bias + block * lanes,
                residual: residual, residualRowStep: operands.residual?.layout.rowStride ?? 0,
                output: y.plane(image: image, block: block), outputRowStep: y.layout.rowStride,
                outputRows: y.layout.height, outputColumns: y.layout.width, minimum: operands.clamp.minimum,
                maximum: operands.clamp.maximum)
        }
    }
}
