/// A 3x3 convolution of stride 1 on bytes by Winograd's minimal filtering F(4x4, 3x3): whole numbers of 16 bits are multiplied
/// position by position, and what comes of them is transformed back in floating point.
///
/// The input's transform is exact. The kernel's is rounded to 16 bits, a scale for each output and position: so finely that
/// no sum of products can leave 32 bits, whatever the input. That moves a result by a few hundredths of a step of its scale.
///
/// Cost: 36 products of 16 bits for 16 pixels instead of 144 of 8 bits, which go twice as fast where there are sums of four.
struct QuantizedWinogradConvolution: Step {
    let operands: QuantizedConvolutionOperands
    let weights: QuantizedWinogradWeights
    /// From the first pixel of a plane to what tap 0 of output pixel (0, 0) sees.
    let start: Int

    var algorithm: String { "8-bit Winograd F(4,3)" }

    private static let tile = WinogradTile.f4x3
    private static let positions = tile.positions

    private var tilesPerRow: Int { (operands.y.layout.width + 3) / 4 }
    private var tileCount: Int { tilesPerRow * ((operands.y.layout.height + 3) / 4) }
    private var inputBlocks: Int { operands.x.layout.blocks }
    private var vectors: Int { operands.y.layout.blocks * operands.vectorsOfBlock }
    private var lanes: Int { operands.kernels.lanes }
    /// Bytes of a tile of one block of input.
    private var blockBytes: Int { QuantizedKernelSet.channelsOfBlock * MemoryLayout<Int16>.stride }

    private var chunks: WinogradChunks {
        let perPosition = inputBlocks * blockBytes + vectors * lanes * MemoryLayout<Float>.stride
        return WinogradChunks(
            tileCount: tileCount, tileBytes: Self.positions * perPosition,
            weightBytes: Self.positions * inputBlocks * blockBytes * vectors * lanes,
            images: operands.y.layout.images, workers: operands.workers)
    }

    /// The scratch memory of a chunk: transformed input, then products. Steps between positions are a cache line more than
    /// they take: large powers of two would fall on the same few lines of the cache.
    private struct Memory {
        let chunk: Int
        let inputStep: Int
        let outputStep: Int
        let bytes: Int
    }

    private var memory: Memory {
        let chunk = chunks.tiles
        let (inputStep, outputStep) = (inputBlocks * chunk * blockBytes + 64, vectors * chunk * lanes + 16)
        return Memory(
            chunk: chunk, inputStep: inputStep, outputStep: outputStep,
            bytes: Self.positions * (inputStep + outputStep * MemoryLayout<Float>.stride))
    }

    var scratchBytes: Int { chunks.areOwn ? memory.bytes : 0 }
    var sharedBytes: Int { chunks.areOwn ? 0 : memory.bytes }

    func run(_ context: StepContext) {
        let (memory, areOwn, images) = (memory, chunks.areOwn, operands.y.layout.images)
        let parts = (tileCount + memory.chunk - 1) / memory.chunk
        let pairs = (vectors + 1) / 2
        func order(_ part: Int) -> WinogradOrder {
            WinogradOrder(
                part * memory.chunk..<min(tileCount, (part + 1) * memory.chunk), of: Self.tile,
                height: operands.y.layout.height, width: operands.y.layout.width)
        }
        if areOwn {
            context.pool.forEach(images * parts) { task, worker in
                let (image, part) = task.quotientAndRemainder(dividingBy: parts)
                let (order, base) = (order(part), UnsafeMutableRawPointer(context.floats(worker: worker)))
                for block in 0..<inputBlocks { transformInput(image, block, order, base, memory) }
                for position in 0..<Self.positions { multiply(position, pairs, order, base, memory) }
                for vector in 0..<vectors { transformOutput(image, vector, order, base, memory) }
            }
        } else {
            // Few tiles: the threads share each chunk, phase by phase.
            for task in 0..<images * parts {
                let (image, part) = task.quotientAndRemainder(dividingBy: parts)
                let (order, base) = (order(part), context.shared)
                context.pool.forEach(inputBlocks) { transformInput(image, $0, order, base, memory) }
                context.pool.forEach(Self.positions) { multiply($0, pairs, order, base, memory) }
                context.pool.forEach(vectors) { transformOutput(image, $0, order, base, memory) }
            }
        }
    }

    /// `[positions][inputBlocks][chunk][16]` of 16 bits.
    private func transformInput(
        _ image: Int, _ block: Int, _ order: WinogradOrder, _ base: UnsafeMutableRawPointer, _ memory: Memory
    ) {
        order.forEachRun { tiles, place in
            operands.kernels.winogradQuantizedInput(
                input: operands.x.plane(image: image, block: block) + start,
                inputRowStep: operands.x.layout.rowStride, tilesPerRow: tilesPerRow, firstTile: tiles.lowerBound,
                tileCount: tiles.count,
                output: (base + (block * memory.chunk + place) * blockBytes).assumingMemoryBound(to: UInt8.self),
                positionStep: memory.inputStep)
        }
    }

    /// `[positions][vectors][chunk][lanes]` of floats.
    private func products(_ base: UnsafeMutableRawPointer, _ memory: Memory) -> UnsafeMutablePointer<Float> {
        (base + Self.positions * memory.inputStep).assumingMemoryBound(to: Float.self)
    }

    private func multiply(
        _ position: Int, _ pairs: Int, _ order: WinogradOrder, _ base: UnsafeMutableRawPointer, _ memory: Memory
    ) {
        let places = order.places(of: Self.tile.positionTable.all[position])
        if places.isEmpty { return }
        let input = base + position * memory.inputStep + places.lowerBound * blockBytes
        let channels = ChannelsRead(
            operands.x.layout.channels, blockLanes: QuantizedKernelSet.channelsOfBlock, unit: 2)
        let terms = 2 * channels.total(of: inputBlocks)
        let output = products(base, memory) + position * memory.outputStep + places.lowerBound * lanes
        let vectorStep = memory.chunk * lanes
        withUnsafeTemporaryAllocation(of: Int.self, capacity: inputBlocks) { offsets in
            for block in 0..<inputBlocks { offsets[block] = block * memory.chunk * blockBytes }
            guard let table = offsets.baseAddress else { return }
            for pair in 0..<pairs {
                let vector = position * vectors + 2 * pair
                operands.kernels.multiplyPairs(
                    input: UnsafePointer(input.assumingMemoryBound(to: UInt8.self)),
                    inputColumnStep: blockBytes, offsets: table, offsetCount: inputBlocks,
                    channels: channels, weights: weights.packed + vector * lanes * terms,
                    vectors: min(2, vectors - 2 * pair), factors: weights.factors + vector * lanes,
                    output: output + 2 * pair * vectorStep, outputVectorStep: vectorStep, columns: places.count)
            }
        }
    }

    private func transformOutput(
        _ image: Int, _ vector: Int, _ order: WinogradOrder, _ base: UnsafeMutableRawPointer, _ memory: Memory
    ) {
        let (y, residual) = (operands.y, operands.residual)
        operands.settings.withUnsafeBufferPointer { settings in
            guard let settings = settings.baseAddress else { return }
            let addend = residual.map {
                UnsafePointer($0.plane(image: image, block: 0) + operands.place(ofVector: vector, in: $0.layout))
            }
            order.forEachRun { tiles, place in
                operands.kernels.winogradQuantizedOutput(
                    products: products(base, memory) + (vector * memory.chunk + place) * lanes,
                    positionStep: memory.outputStep, tilesPerRow: tilesPerRow, firstTile: tiles.lowerBound,
                    tileCount: tiles.count, bias: weights.bias + vector * lanes, settings: settings, residual: addend,
                    residualRowStep: residual?.layout.rowStride ?? 0,
                    output: y.plane(image: image, block: 0) + operands.place(ofVector: vector, in: y.layout),
                    outputRowStep: y.layout.rowStride, outputRows: y.layout.height, outputColumns: y.layout.width)
            }
        }
    }
}

/// What the products read, and what becomes of them.
struct QuantizedWinogradWeights {
    /// `[positions][pairs of vectors][pairs of inputs][vectors][lanes][2]`.
    let packed: UnsafePointer<Int16>
    /// `[positions][vectors][lanes]`: what a sum is multiplied with.
    let factors: UnsafePointer<Float>
    /// `[vectors][lanes]`, in steps of the first rounding.
    let bias: UnsafePointer<Float>
}
