import MartletInference
import MartletKernelsBaseline
import MartletLinearAlgebra
import MartletNetworks

/// The gradient of a convolution by its weight: the products of the gradients by the results with the patches they saw,
/// summed over pixels and images; by ``WinogradWeightGradient`` where that takes less.
///
/// A task is a block of input channels and a part of the images, cut by the problem alone; within a task images are added
/// up in order, and parts in order at the end: the bits are the same for any number of threads.
struct WeightGradient {
    private let geometry: ConvolutionGeometry
    private let target: GradientTarget
    private let winograd: WinogradWeightGradient?
    /// Input channels of a task.
    private let channelsOfTask: Int
    /// Tasks that share the images.
    private let imageParts: Int
    private let pixelsAtOnce: Int

    /// Columns of the products: enough for BLAS to be fast, few enough for unfolded pixels to stay in the cache.
    private static let columnsOfTask = 576
    /// Tasks that keep many threads busy.
    private static let wantedTasks = 16
    /// Floats of a part's sum, above which images are not shared out.
    private static let largestPart = 1 << 20

    init(_ geometry: ConvolutionGeometry, convolution: Convolution, target: GradientTarget) throws {
        self.geometry = geometry
        self.target = target
        winograd = WinogradWeightGradient(
            geometry, target: target, kernels: WinogradGradientKernels(try InstructionSet.chosen()))
        let taps = max(1, geometry.window.tapCount)
        channelsOfTask = max(1, min(geometry.channelsInGroup, WeightGradient.columnsOfTask / taps))
        let blocks = (geometry.channelsInGroup + channelsOfTask - 1) / channelsOfTask
        let tasks = max(1, blocks * geometry.groups)
        let parts =
            geometry.isDepthwise || geometry.weightCount > WeightGradient.largestPart
            ? 1 : (WeightGradient.wantedTasks + tasks - 1) / tasks
        imageParts = max(1, min(parts, geometry.images))
        pixelsAtOnce = max(1, min(geometry.pixels, ConvolutionStep.columnFloats / (channelsOfTask * taps)))
    }

    var scratchBytes: Int {
        if let winograd { return winograd.scratchBytes }
        if geometry.isDepthwise { return geometry.window.tapCount * MemoryLayout<Double>.stride }
        return geometry.isPointwise
            ? 0 : channelsOfTask * geometry.window.tapCount * pixelsAtOnce * MemoryLayout<Float>.stride
    }

    var sharedBytes: Int {
        if let winograd { return winograd.sharedBytes }
        return imageParts == 1 ? 0 : imageParts * geometry.weightCount * MemoryLayout<Float>.stride
    }

    private var channelBlocks: Int { (geometry.channelsInGroup + channelsOfTask - 1) / channelsOfTask }

    /// - Parameters:
    ///   - x: The layer's input.
    ///   - gradient: By its result.
    func run(x: UnsafePointer<Float>, gradient: UnsafePointer<Float>, _ context: TrainingContext) {
        if let winograd { return winograd.run(x: x, gradient: gradient, context) }
        if geometry.isDepthwise { return depthwise(x: x, gradient: gradient, context) }
        let parts = context.sharedFloats
        context.pool.forEach(geometry.groups * channelBlocks * imageParts) { task, worker in
            let (rest, part) = task.quotientAndRemainder(dividingBy: imageParts)
            let (group, block) = rest.quotientAndRemainder(dividingBy: channelBlocks)
            let images = geometry.images * part / imageParts..<geometry.images * (part + 1) / imageParts
            let first = block * channelsOfTask
            let channels = first..<min(geometry.channelsInGroup, first + channelsOfTask)
            multiply(
                group: group, channels: channels, images: images, x: x, gradient: gradient,
                result: imageParts == 1
                    ? target : GradientTarget(base: parts + part * geometry.weightCount, accumulates: false),
                columns: context.floats(worker: worker))
        }
        if imageParts > 1 { addParts(parts, context) }
    }

    private func multiply(
        group: Int, channels: Range<Int>, images: Range<Int>, x: UnsafePointer<Float>,
        gradient: UnsafePointer<Float>, result: GradientTarget, columns: UnsafeMutablePointer<Float>
    ) {
        let g = geometry
        let taps = g.window.tapCount
        let firstChannel = group * g.channelsInGroup + channels.lowerBound
        let sum = result.base + group * g.outputsInGroup * g.terms + channels.lowerBound * taps
        var beta: Float = result.accumulates ? 1 : 0
        for image in images {
            let source = x + (image * g.channels + firstChannel) * g.window.inputCount
            let slope = gradient + (image * g.outputs + group * g.outputsInGroup) * g.pixels
            for first in stride(from: 0, to: g.pixels, by: g.isPointwise ? g.pixels : pixelsAtOnce) {
                let count = g.isPointwise ? g.pixels : min(pixelsAtOnce, g.pixels - first)
                if !g.isPointwise {
                    im2col(
                        source, channels: channels.count, window: g.window, firstPixel: first, pixelCount: count,
                        into: columns, rowStride: count)
                }
                BLAS.gemm(
                    transposeB: true, m: g.outputsInGroup, n: channels.count * taps, k: count, a: slope + first,
                    lda: g.pixels, b: g.isPointwise ? source : UnsafePointer(columns), ldb: count, beta: beta, c: sum,
                    ldc: g.terms)
                beta = 1
            }
        }
    }

    private func addParts(_ parts: UnsafePointer<Float>, _ context: TrainingContext) {
        let (count, target) = (geometry.weightCount, target)
        let length = 16 * 1024
        context.pool.forEach((count + length - 1) / length) { index in
            let first = index * length
            let size = min(length, count - first)
            target.add(parts + first, at: first, count: size)
            for part in 1..<imageParts {
                addElements(parts + part * count + first, to: target.base + first, count: size)
            }
        }
    }

    private func depthwise(x: UnsafePointer<Float>, gradient: UnsafePointer<Float>, _ context: TrainingContext) {
        let (g, target) = (geometry, target)
        let taps = g.window.tapCount
        context.pool.forEach(g.outputs) { output, worker in
            let sums = context.scratch(worker: worker).assumingMemoryBound(to: Double.self)
            for tap in 0..<taps { sums[tap] = 0 }
            let channel = output / g.outputsInGroup
            for image in 0..<g.images {
                addDepthwiseWeightGradient(
                    gradient + (image * g.outputs + output) * g.pixels,
                    plane: x + (image * g.channels + channel) * g.window.inputCount, window: g.window, to: sums)
            }
            for tap in 0..<taps { target.add(Float(sums[tap]), at: output * taps + tap) }
        }
    }
}
