import MartletKernelsBaseline
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Adds up the patches of one layer.
///
/// Patches are unfolded side by side and multiplied a few thousand at a time. The products of one batch are added up in
/// single precision, those of all batches in double. All is split by the problem's size, so that the sums do not depend
/// on the number of threads.
final class MomentAccumulator {
    let layer: WeightedLayer
    private(set) var moments: LayerMoments

    /// Rows and columns of one block of the product: large enough for BLAS, small enough to share among threads.
    private static let block = 256
    /// Columns that are multiplied at once.
    private static let columns = 2048

    init(layer: WeightedLayer) throws {
        self.layer = layer
        moments = try LayerMoments(groups: layer.groups, patchSize: layer.patchSize)
    }

    /// Adds the patches of a batch: `[N, S, ...]` for a convolution, `[..., S]` for a fully connected layer.
    func add(_ input: TensorView, scratch: Scratch, pool: ThreadPool) throws {
        let values = input.elements(of: Float.self)
        guard let base = values.baseAddress, !values.isEmpty else { return }
        switch layer.kind {
        case .fullyConnected:
            // Samples are rows here, patches columns of the transpose.
            let rows = values.count / layer.inputs
            try accumulate(group: 0, isTransposed: true, scratch: scratch, pool: pool) { multiply in
                multiply(base, layer.inputs, rows)
            }
            moments.count += rows
        case .convolution(let convolution):
            let images = input.shape[0]
            let spatial = Array(input.shape.extents[2...])
            let window = try SlidingWindow(convolution.window, input: spatial)
            let pixels = window.outputCount
            let channels = layer.inputs / layer.groups
            for group in 0..<layer.groups {
                try accumulate(group: group, isTransposed: false, scratch: scratch, pool: pool) { multiply in
                    unfold(
                        base, images: images, firstChannel: group * channels, channels: channels, window: window,
                        scratch: scratch, pool: pool, multiply)
                }
            }
            moments.count += images * pixels
        }
    }

    /// Calls `multiply` with unfolded patches, `[D, columns]`, chunk by chunk.
    private func unfold(
        _ base: UnsafePointer<Float>, images: Int, firstChannel: Int, channels: Int, window: SlidingWindow,
        scratch: Scratch, pool: ThreadPool, _ multiply: (UnsafePointer<Float>, Int, Int) -> Void
    ) {
        let pixels = window.outputCount
        let size = moments.patchSize
        // Small maps go side by side, large ones in pieces.
        let piece = min(pixels, MomentAccumulator.columns)
        let together = max(1, MomentAccumulator.columns / pixels)
        for firstImage in stride(from: 0, to: images, by: together) {
            let count = min(together, images - firstImage)
            for firstPixel in stride(from: 0, to: pixels, by: piece) {
                let width = min(piece, pixels - firstPixel)
                let columns = count * width
                let unfolded = scratch.columns(size * columns)
                // One channel of one image is a task.
                pool.forEach(count * channels) { task in
                    let (image, channel) = (task / channels, task % channels)
                    let plane = (firstImage + image) * self.layer.inputs + firstChannel + channel
                    im2col(
                        base + plane * window.inputCount, channels: 1, window: window, firstPixel: firstPixel,
                        pixelCount: width, into: unfolded + channel * window.tapCount * columns + image * width,
                        rowStride: columns)
                }
                multiply(unfolded, columns, columns)
            }
        }
    }

    /// Runs `body`, which multiplies patches into the product of this batch, and adds that to the sums.
    private func accumulate(
        group: Int, isTransposed: Bool, scratch: Scratch, pool: ThreadPool,
        _ body: ((_ patches: UnsafePointer<Float>, _ stride: Int, _ count: Int) -> Void) -> Void
    ) throws {
        let size = moments.patchSize
        let product = scratch.product(size * size)
        let sum = scratch.sum(size)
        let ones = scratch.ones(MomentAccumulator.columns)
        let block = MomentAccumulator.block
        let blocks = (size + block - 1) / block
        var isFirst = true
        body { patches, stride, count in
            let beta: Float = isFirst ? 0 : 1
            isFirst = false
            pool.forEach(blocks * (blocks + 1) / 2 + 1) { task in
                guard task > 0 else {
                    for first in Swift.stride(from: 0, to: count, by: MomentAccumulator.columns) {
                        let width = min(MomentAccumulator.columns, count - first)
                        BLAS.gemv(
                            transpose: isTransposed, m: isTransposed ? width : size, n: isTransposed ? size : width,
                            a: patches + (isTransposed ? first * stride : first), lda: stride, x: ones,
                            beta: first == 0 ? beta : 1, y: sum)
                    }
                    return
                }
                let (i, j) = MomentAccumulator.blockOf(task - 1)
                let (row, column) = (i * block, j * block)
                BLAS.gemm(
                    transposeA: isTransposed, transposeB: !isTransposed, m: min(block, size - row),
                    n: min(block, size - column), k: count, a: patches + (isTransposed ? row : row * stride),
                    lda: stride, b: patches + (isTransposed ? column : column * stride), ldb: stride, beta: beta,
                    c: product + row * size + column, ldc: size)
            }
        }
        try flush(product: product, sum: sum, group: group, pool: pool)
    }

    private func flush(
        product: UnsafePointer<Float>, sum: UnsafePointer<Float>, group: Int, pool: ThreadPool
    ) throws {
        let size = moments.patchSize
        var isFinite = true
        try moments.sums.withMutableElements(of: Double.self) { sums in
            for index in 0..<size {
                sums[group * size + index] += Double(sum[index])
                if !sum[index].isFinite { isFinite = false }
            }
        }
        if !isFinite { throw StatisticsError.nonFinite(layer: layer.name) }
        try moments.products.withMutableElements(of: Double.self) { products in
            guard let base = products.baseAddress else { return }
            let triangle = base + group * (size * (size + 1) / 2)
            let rows = 64
            pool.forEach((size + rows - 1) / rows) { task in
                for i in task * rows..<min((task + 1) * rows, size) {
                    let (target, source) = (triangle + i * (i + 1) / 2, product + i * size)
                    for j in 0...i { target[j] += Double(source[j]) }
                }
            }
        }
    }

    /// Row and column of a block of the lower triangle, numbered row by row.
    private static func blockOf(_ index: Int) -> (Int, Int) {
        var row = 0
        var first = 0
        while first + row + 1 <= index {
            first += row + 1
            row += 1
        }
        return (row, index - first)
    }
}

/// Memory that the layers take turns to use.
final class Scratch {
    private var memory: [Int: (base: UnsafeMutablePointer<Float>, count: Int)] = [:]

    func columns(_ count: Int) -> UnsafeMutablePointer<Float> { buffer(0, count) }
    func product(_ count: Int) -> UnsafeMutablePointer<Float> { buffer(1, count) }
    func sum(_ count: Int) -> UnsafeMutablePointer<Float> { buffer(2, count) }

    /// As many ones.
    func ones(_ count: Int) -> UnsafeMutablePointer<Float> {
        let ones = buffer(3, count)
        ones.update(repeating: 1, count: count)
        return ones
    }

    private func buffer(_ key: Int, _ count: Int) -> UnsafeMutablePointer<Float> {
        if let held = memory[key] {
            if held.count >= count { return held.base }
            held.base.deallocate()
        }
        let base = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
        memory[key] = (base, count)
        return base
    }

    deinit { for held in memory.values { held.base.deallocate() } }
}

extension SlidingWindow {
    /// The kernels' form of a window over an input of these spatial extents.
    /// - Throws: ``NetworkError/unsupported(node:reason:)`` for more than three axes.
    init(_ window: Window, input: [Int]) throws {
        guard (1...3).contains(window.rank), input.count == window.rank else {
            throw NetworkError.unsupported(node: "window", reason: "a window of \(window.rank) axes")
        }
        let axes = (0..<window.rank).map { axis in
            let border = window.border(axis: axis, extent: input[axis])
            return WindowAxis(
                input: input[axis], output: window.outputExtent(axis: axis, extent: input[axis]),
                kernel: window.kernel[axis], stride: window.strides[axis], dilation: window.dilations[axis],
                before: border.before, after: border.after)
        }
        let padded = [WindowAxis](repeating: WindowAxis(), count: 3 - axes.count) + axes
        self.init(depth: padded[0], height: padded[1], width: padded[2])
    }
}
