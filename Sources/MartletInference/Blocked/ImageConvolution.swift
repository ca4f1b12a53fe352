import MartletKernelsBaseline
import MartletNetworks
import MartletParallelism
import MartletTensors

/// A convolution by the kernels on blocks whose weights change from run to run, as they do in training: an image at a time
/// on the thread that asks, rows of pixels in and out, the weights packed anew when they have changed.
///
/// The image is copied into blocks, which stay in the thread's cache, and the result back: some tenths of what the
/// convolution itself takes. One group, two spatial axes; dilation and stride as they come.
package struct ImageConvolution {
    private let kernels: KernelSet
    private let window: Window
    private let input: BlockedLayout
    private let output: BlockedLayout
    private let algorithm: ConvolutionAlgorithm
    private let offsets: [Int]
    private let start: Int
    /// Bytes of scratch memory of the convolution itself.
    private var stepScratch = 0

    /// A convolution of images `[inputs, height, width]` to `outputs` channels; `nil` if it is not of this kind.
    ///
    /// - Parameters:
    ///   - image: The extents of an image: channels, height, width.
    ///   - outputs: The number of output channels.
    /// - Throws: `InstructionSetError`, `TensorError` if it is too large.
    package init?(_ convolution: Convolution, image: [Int], outputs: Int) throws {
        let window = convolution.window
        guard convolution.groups == 1, window.rank == 2, image.count == 3 else { return nil }
        kernels = try KernelSet.best()
        self.window = window
        let lanes = kernels.lanes
        let extents = (0..<2).map { window.outputExtent(axis: $0, extent: image[$0 + 1]) }
        guard extents.allSatisfy({ $0 > 0 }) else { return nil }
        let isImage = image[0] <= 4 && lanes > 4
        let choice = ConvolutionChoice(lanes: lanes, weightBytes: 0)
        var algorithm =
            isImage
            ? .direct
            : choice.algorithm(for: convolution, input: [1] + image, output: [1, outputs] + extents)
        let borders = (0..<2).map { window.border(axis: $0, extent: image[$0 + 1]) }
        var reach = (0..<2).map { axis -> Int in
            let span = (window.kernel[axis] - 1) * window.dilations[axis] + 1
            return (extents[axis] - 1) * window.strides[axis] + span
        }
        if case .winograd(let tile) = algorithm {
            // Tiles hang over the end of the image.
            reach = extents.map { extent -> Int in
                let tiles = (extent + tile.size - 1) / tile.size
                return (tiles * tile.size - 1) * tile.stride + tile.taps
            }
        }
        let after = (0..<2).map { axis -> Int in max(0, reach[axis] - borders[axis].before - image[axis + 1]) }
        input = try BlockedLayout(
            [1] + image, lanes: isImage ? 4 : lanes,
            border: BlockedLayout.Border(
                top: borders[0].before, left: borders[1].before, bottom: after[0], right: after[1]))
        let strides = (row: window.strides[0], column: window.strides[1])
        if algorithm == .strassen, !StrassenConvolution.fits(input, strides: strides, outputHeight: extents[0]) {
            algorithm = .direct
        }
        self.algorithm = algorithm
        output = try BlockedLayout([1, outputs] + extents, lanes: lanes, border: BlockedLayout.Border())
        start = -input.origin
        offsets = ImageConvolution.offsets(window, input)
        stepScratch = withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { memory in
            // Where things lie does not matter to how much memory it takes.
            memory.baseAddress.map {
                step(input: $0, output: $0, weights: UnsafePointer($0), clamp: ClampBounds()).scratchBytes
            } ?? 0
        }
    }

    /// What each tap of each block of channels sees, from what the first tap of the first sees.
    private static func offsets(_ window: Window, _ layout: BlockedLayout) -> [Int] {
        var offsets: [Int] = []
        for block in 0..<layout.blocks {
            for row in 0..<window.kernel[0] {
                let line = block * layout.blockStride + row * window.dilations[0] * layout.rowStride
                for column in 0..<window.kernel[1] {
                    offsets.append(line + column * window.dilations[1] * layout.lanes)
                }
            }
        }
        return offsets
    }

    // MARK: Weights

    /// The floats of packed weights, with the bias and some zeros before them.
    package var weightCount: Int { biasCount + zeroCount + kernelCount }

    private var biasCount: Int { output.blocks * kernels.lanes }
    private var zeroCount: Int { 2 * kernels.lanes }
    private var kernelCount: Int {
        switch algorithm {
        case .winograd(let tile):
            winogradWeightCount(tile, outputs: output.channels, inputs: input.channels, lanes: kernels.lanes)
        case .strassen:
            strassenWeightCount(outputs: output.channels, inputs: input.channels, lanes: kernels.lanes)
        case .direct: output.blocks * kernels.lanes * window.tapCount * input.channels
        }
    }

    /// Packs weights for ``run(_:weights:clamping:into:scratch:)``.
    /// - Parameters:
    ///   - kernel: `[outputs, inputs, h, w]`.
    ///   - bias: `[outputs]`, `nil` for none.
    ///   - packed: ``weightCount`` floats.
    package func pack(
        kernel: UnsafePointer<Float>, bias: UnsafePointer<Float>?, into packed: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        fill(packed, count: biasCount + zeroCount, with: 0)
        if let bias { packed.update(from: bias, count: output.channels) }
        let target = packed + biasCount + zeroCount
        let (outputs, inputs, lanes) = (output.channels, input.channels, kernels.lanes)
        let pairs = (output.blocks + 1) / 2
        if case .direct = algorithm, outputs % lanes != 0 {
            // Channels past the last are not written below.
            fill(target, count: kernelCount, with: 0)
        }
        pool.forEach(pairs) { pair in
            switch algorithm {
            case .winograd(let tile):
                packWinogradWeights(
                    tile, kernel: kernel, outputs: outputs, inputs: inputs, lanes: lanes, pairs: pair..<pair + 1,
                    into: target)
            case .strassen:
                if pair % 2 == 0 {
                    packStrassenWeights(
                        kernel: kernel, outputs: outputs, inputs: inputs, lanes: lanes, pairs: pair / 2..<pair / 2 + 1,
                        into: target)
                }
            case .direct:
                packDirectWeights(
                    kernel: kernel, outputs: outputs, inputs: inputs, taps: window.tapCount, inputLanes: input.lanes,
                    lanes: lanes, pairs: pair..<pair + 1, into: target)
            }
        }
    }

    // MARK: Images

    /// Bytes of scratch memory that ``run(_:weights:clamping:into:scratch:)`` needs.
    package var scratchBytes: Int {
        Arena.padded(input.byteCount) + Arena.padded(output.byteCount) + Arena.padded(stepScratch)
    }

    private static let alone = ThreadPool(threadCount: 1)

    /// Convolves one image.
    /// - Parameters:
    ///   - image: `[inputs, height, width]`.
    ///   - weights: What ``pack(kernel:bias:into:pool:)`` packed.
    ///   - activation: An activation that cuts off, done in passing; others are not.
    ///   - result: `[outputs, ...]`.
    ///   - scratch: ``scratchBytes`` bytes, of this thread alone.
    package func run(
        _ image: UnsafePointer<Float>, weights: UnsafePointer<Float>, clamping activation: Activation? = nil,
        into result: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        let x = scratch.assumingMemoryBound(to: Float.self)
        let y = (scratch + Arena.padded(input.byteCount)).assumingMemoryBound(to: Float.self)
        let rest = scratch + Arena.padded(input.byteCount) + Arena.padded(output.byteCount)
        let context = StepContext(pool: ImageConvolution.alone, shared: rest, scratch: rest, scratchStride: 0)
        let blocks = BlockedValue(base: x, layout: input)
        if !input.border.isEmpty { BorderStep(y: blocks, kernels: kernels).run(context) }
        ToBlocks(x: PlanarInput(image), y: blocks, kernels: kernels).run(context)
        step(input: x, output: y, weights: weights, clamp: ClampBounds(activation) ?? ClampBounds()).run(context)
        ToPlanes(x: BlockedValue(base: y, layout: output), y: result, kernels: kernels).run(context)
    }

    private func step(
        input x: UnsafeMutablePointer<Float>, output y: UnsafeMutablePointer<Float>, weights: UnsafePointer<Float>,
        clamp: ClampBounds
    ) -> any ImageStep {
        let operands = BlockedConvolutionOperands(
            x: BlockedValue(base: x, layout: input), y: BlockedValue(base: y, layout: output), residual: nil,
            bias: weights, clamp: clamp, kernels: kernels, workers: 1)
        let packed = weights + biasCount + zeroCount
        switch algorithm {
        case .winograd(let tile):
            return WinogradConvolution(
                operands: operands, tile: tile, weights: .floats(packed), start: start, zeros: weights + biasCount)
        case .strassen:
            return StrassenConvolution(
                operands: operands, weights: .floats(packed),
                strides: (row: window.strides[0], column: window.strides[1]), zeros: weights + biasCount)
        case .direct:
            return BlockedConvolution(
                operands: operands, weights: .floats(packed), offsets: offsets, start: start,
                strides: (row: window.strides[0], column: window.strides[1]))
        }
    }
}

/// A step that cannot fail.
protocol ImageStep: Step {
    func run(_ context: StepContext)
}

extension WinogradConvolution: ImageStep {}
extension StrassenConvolution: ImageStep {}
extension BlockedConvolution: ImageStep {}
