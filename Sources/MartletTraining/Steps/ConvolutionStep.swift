import MartletInference
import MartletKernelsBaseline
import MartletLinearAlgebra
import MartletNetworks
import MartletTensors

/// A convolution with bias, residual and activation.
///
/// Forward, and for the gradient by the input where the stride is 1 (it is then a convolution with the kernel turned round
/// and transposed), an image at a time on the blocked kernels, or as a matrix product. `WeightGradient.swift`
/// has the gradient by the weight.
final class ConvolutionStep: DifferentiableStep {
    /// The operands and where gradients go; `nil` where there is none, or none is wanted.
    struct Operands {
        var layer: String
        var x: Operand
        var weight: Operand
        var bias: Operand?
        var residual: Operand?
        var y: Operand
        var gradient: UnsafeMutablePointer<Float>?
        var xGradient: GradientTarget?
        var weightGradient: GradientTarget?
        var biasGradient: GradientTarget?
        var residualGradient: GradientTarget?
    }

    let operands: Operands
    let geometry: ConvolutionGeometry
    private let activation: Activation?
    private let blocked: ImageConvolution?
    private let blockedGradient: ImageConvolution?
    let weightGradient: WeightGradient?

    init(_ operands: Operands, convolution: Convolution, window: SlidingWindow) throws {
        self.operands = operands
        let geometry = ConvolutionGeometry(
            images: operands.x.extents[0], channels: operands.x.extents[1], outputs: operands.y.extents[1],
            groups: convolution.groups, window: window)
        self.geometry = geometry
        activation = convolution.activation
        var plain = convolution
        plain.activation = nil
        plain.addsResidual = false
        let image = Array(operands.x.extents.dropFirst())
        blocked =
            geometry.isPointwise ? nil : try ImageConvolution(plain, image: image, outputs: geometry.outputs)
        blockedGradient =
            operands.xGradient == nil || geometry.isPointwise
            ? nil
            : try ConvolutionStep.reversed(plain, window: window).flatMap {
                try ImageConvolution(
                    $0, image: Array(operands.y.extents.dropFirst()), outputs: geometry.channels)
            }
        weightGradient = try operands.weightGradient.map { target in
            try WeightGradient(geometry, convolution: plain, target: target)
        }
    }

    /// The convolution that takes the gradient by the result to that by the input: stride 1, so many zeros around as the
    /// kernel hangs over.
    private static func reversed(_ convolution: Convolution, window: SlidingWindow) -> Convolution? {
        let axes = [window.height, window.width]
        let borders = axes.map { ($0.kernel - 1) * $0.dilation - $0.before }
        let after = axes.map { $0.input - $0.output + $0.before }
        guard convolution.groups == 1, convolution.window.rank == 2, axes.allSatisfy({ $0.stride == 1 }),
            (borders + after).allSatisfy({ $0 >= 0 })
        else { return nil }
        return Convolution(
            window: Window(
                kernel: convolution.window.kernel, dilations: convolution.window.dilations,
                padding: .explicit(before: borders, after: after)))
    }

    // MARK: Scratch memory

    private static let floatBytes = MemoryLayout<Float>.stride
    /// Floats of unfolded pixels that stay in a core's cache.
    static let columnFloats = 128 * 1024

    /// Channels whose columns are unfolded at once, all pixels of an image.
    private var channelsAtOnce: Int {
        let columns = max(1, geometry.window.tapCount * geometry.pixels)
        return min(geometry.channelsInGroup, max(1, ConvolutionStep.columnFloats / columns))
    }

    /// Pixels that are unfolded at once, all channels of a group.
    private var pixelsAtOnce: Int {
        min(geometry.pixels, max(16, ConvolutionStep.columnFloats / max(1, geometry.terms)))
    }

    var scratchBytes: Int {
        let forward = blocked?.scratchBytes ?? geometry.terms * pixelsAtOnce * ConvolutionStep.floatBytes
        var backward = 0
        if operands.xGradient != nil {
            let columns = channelsAtOnce * geometry.window.tapCount * geometry.pixels
            backward =
                blockedGradient.map { $0.scratchBytes + imageBytes } ?? columns * ConvolutionStep.floatBytes
        }
        return max(forward, backward, weightGradient?.scratchBytes ?? 0)
    }

    /// Bytes of an image's gradient, where it must be added to another.
    private var imageBytes: Int { geometry.inputCount * ConvolutionStep.floatBytes }

    var sharedBytes: Int {
        let forward = (blocked?.weightCount ?? 0) * ConvolutionStep.floatBytes
        let backward =
            blockedGradient.map { ($0.weightCount + reversedCount) * ConvolutionStep.floatBytes } ?? 0
        let sums = operands.biasGradient == nil ? 0 : geometry.images * geometry.outputs * MemoryLayout<Double>.stride
        return max(forward, backward, sums, weightGradient?.sharedBytes ?? 0)
    }

    /// Floats of the turned kernel, to a whole line of the cache.
    private var reversedCount: Int { (geometry.weightCount + 15) / 16 * 16 }

    // MARK: Forward

    func forward(_ context: TrainingContext) {
        let (g, o) = (geometry, operands)
        if let blocked {
            let packed = context.sharedFloats
            blocked.pack(
                kernel: o.weight.base, bias: o.bias.map { UnsafePointer($0.base) }, into: packed, pool: context.pool)
            let clamps = o.residual == nil
            let rest = Epilogue(
                bias: nil, residual: o.residual.map { UnsafePointer($0.base) },
                activation: clamps && isClamp ? nil : activation)
            context.pool.forEach(g.images) { image, worker in
                blocked.run(
                    o.x.base + image * g.inputCount, weights: packed, clamping: clamps ? self.activation : nil,
                    into: o.y.base + image * g.outputCount, scratch: context.scratch(worker: worker))
                self.finish(rest, image: image, outputs: 0..<g.outputs)
            }
            return
        }
        let epilogue = Epilogue(
            bias: o.bias.map { UnsafePointer($0.base) }, residual: o.residual.map { UnsafePointer($0.base) },
            activation: activation)
        context.pool.forEach(g.images * g.groups) { task, worker in
            let (image, group) = task.quotientAndRemainder(dividingBy: g.groups)
            let outputs = group * g.outputsInGroup..<(group + 1) * g.outputsInGroup
            self.multiply(image: image, group: group, scratch: context.floats(worker: worker))
            self.finish(epilogue, image: image, outputs: outputs)
        }
    }

    private var isClamp: Bool {
        switch activation {
        case .relu, .clip, nil: true
        default: false
        }
    }

    private func finish(_ epilogue: Epilogue, image: Int, outputs: Range<Int>) {
        for output in outputs {
            epilogue.apply(
                to: operands.y.base, offset: (image * geometry.outputs + output) * geometry.pixels,
                count: geometry.pixels, channel: output)
        }
    }

    /// The product of a group of an image, without what comes after.
    private func multiply(image: Int, group: Int, scratch: UnsafeMutablePointer<Float>) {
        let g = geometry
        let x = operands.x.base + image * g.inputCount + group * g.channelsInGroup * g.window.inputCount
        let y = operands.y.base + image * g.outputCount + group * g.outputsInGroup * g.pixels
        let weight = operands.weight.base + group * g.outputsInGroup * g.terms
        if g.isDepthwise {
            for output in 0..<g.outputsInGroup {
                depthwiseConvolution(
                    x, weight: weight + output * g.terms, window: g.window, into: y + output * g.pixels)
            }
            return
        }
        if g.isPointwise {
            BLAS.gemm(
                m: g.outputsInGroup, n: g.pixels, k: g.terms, a: weight, lda: g.terms, b: x, ldb: g.pixels, c: y,
                ldc: g.pixels)
            return
        }
        for first in stride(from: 0, to: g.pixels, by: pixelsAtOnce) {
            let count = min(pixelsAtOnce, g.pixels - first)
            im2col(
                x, channels: g.channelsInGroup, window: g.window, firstPixel: first, pixelCount: count, into: scratch,
                rowStride: count)
            BLAS.gemm(
                m: g.outputsInGroup, n: count, k: g.terms, a: weight, lda: g.terms, b: scratch, ldb: count,
                c: y + first, ldc: g.pixels)
        }
    }

    // MARK: Backward

    /// Channels whose gradients are prepared by one task.
    private static let planesOfTask = 32

    func backward(_ context: TrainingContext) {
        guard let gradient = operands.gradient else { return }
        let (g, o) = (geometry, operands)
        // Plane by plane, which stays in the cache for all that is done to it.
        let sums = context.shared.assumingMemoryBound(to: Double.self)
        let parts = (g.outputs + ConvolutionStep.planesOfTask - 1) / ConvolutionStep.planesOfTask
        context.pool.forEach(g.images * parts) { task in
            let (image, part) = task.quotientAndRemainder(dividingBy: parts)
            let first = part * ConvolutionStep.planesOfTask
            for output in first..<min(g.outputs, first + ConvolutionStep.planesOfTask) {
                let start = (image * g.outputs + output) * g.pixels
                self.activation?.multiplyGradient(gradient + start, result: o.y.base + start, count: g.pixels)
                o.residualGradient?.add(gradient + start, at: start, count: g.pixels)
                guard o.biasGradient != nil else { continue }
                sums[image * g.outputs + output] = sumOfElements(gradient + start, count: g.pixels)
            }
        }
        if let target = o.biasGradient {
            for output in 0..<g.outputs {
                let sum = (0..<g.images).reduce(0.0) { $0 + sums[$1 * g.outputs + output] }
                target.add(Float(sum), at: output)
            }
        }
        if let observer = context.observer, observer.wants(o.layer) {
            observer.observe(o.layer, input: o.x.view, gradient: Operand(base: gradient, extents: o.y.extents).view)
        }
        weightGradient?.run(x: o.x.base, gradient: gradient, context)
        if let target = o.xGradient { inputGradient(gradient, target, context) }
    }

    private func inputGradient(
        _ gradient: UnsafeMutablePointer<Float>, _ target: GradientTarget, _ context: TrainingContext
    ) {
        let g = geometry
        if let blockedGradient {
            let (turned, packed) = (context.sharedFloats, context.sharedFloats + reversedCount)
            turnKernel(into: turned, context)
            blockedGradient.pack(kernel: turned, bias: nil, into: packed, pool: context.pool)
            let bytes = imageBytes
            context.pool.forEach(g.images) { image, worker in
                let scratch = context.scratch(worker: worker)
                let result = target.base + image * g.inputCount
                let slope = gradient + image * g.outputCount
                if target.accumulates {
                    let part = scratch.assumingMemoryBound(to: Float.self)
                    blockedGradient.run(slope, weights: packed, into: part, scratch: scratch + bytes)
                    addElements(part, to: result, count: g.inputCount)
                } else {
                    blockedGradient.run(slope, weights: packed, into: result, scratch: scratch)
                }
            }
            return
        }
        context.pool.forEach(g.images * g.groups) { task, worker in
            let (image, group) = task.quotientAndRemainder(dividingBy: g.groups)
            self.multiplyTransposed(
                image: image, group: group, gradient: gradient, target, scratch: context.floats(worker: worker))
        }
    }

    /// The kernel `[inputs, outputs, taps]`, its taps in reverse.
    private func turnKernel(into turned: UnsafeMutablePointer<Float>, _ context: TrainingContext) {
        let (g, weight) = (geometry, operands.weight.base)
        let taps = g.window.tapCount
        context.pool.forEach(g.channels) { channel in
            for output in 0..<g.outputs {
                let from = weight + (output * g.channels + channel) * taps
                let to = turned + (channel * g.outputs + output) * taps
                for tap in 0..<taps { to[taps - 1 - tap] = from[tap] }
            }
        }
    }

    /// The gradient by a group of an image, as a matrix product whose columns are added back to where they came from.
    private func multiplyTransposed(
        image: Int, group: Int, gradient: UnsafeMutablePointer<Float>, _ target: GradientTarget,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let g = geometry
        let start = image * g.inputCount + group * g.channelsInGroup * g.window.inputCount
        let result = target.base + start
        let slope = gradient + image * g.outputCount + group * g.outputsInGroup * g.pixels
        let weight = operands.weight.base + group * g.outputsInGroup * g.terms
        if g.isPointwise, !g.isDepthwise {
            BLAS.gemm(
                transposeA: true, m: g.terms, n: g.pixels, k: g.outputsInGroup, a: weight, lda: g.terms, b: slope,
                ldb: g.pixels, beta: target.accumulates ? 1 : 0, c: result, ldc: g.pixels)
            return
        }
        if !target.accumulates { fill(result, count: g.channelsInGroup * g.window.inputCount, with: 0) }
        if g.isDepthwise {
            for output in 0..<g.outputsInGroup {
                addDepthwiseInputGradient(
                    slope + output * g.pixels, weight: weight + output * g.terms, window: g.window, to: result)
            }
            return
        }
        let taps = g.window.tapCount
        for first in stride(from: 0, to: g.channelsInGroup, by: channelsAtOnce) {
            let count = min(channelsAtOnce, g.channelsInGroup - first)
            BLAS.gemm(
                transposeA: true, m: count * taps, n: g.pixels, k: g.outputsInGroup, a: weight + first * taps,
                lda: g.terms, b: slope, ldb: g.pixels, c: scratch, ldc: g.pixels)
            addColumns(scratch, channels: count, window: g.window, to: result + first * g.window.inputCount)
        }
    }
}
