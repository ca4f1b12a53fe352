import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

/// Softmax or its logarithm over `count` elements that lie `inner` apart. `y` may be `x`.
struct SoftmaxStep: Step {
    let x: TensorView
    let y: MutableTensorView
    let count: Int
    let inner: Int
    let isLogarithmic: Bool

    func run(_ context: StepContext) {
        if x.shape.elementCount == 0 { return }
        context.forEachPart(of: x.shape.elementCount / count, size: max(1, 4096 / count)) { part in
            for row in part {
                let (outer, offset) = row.quotientAndRemainder(dividingBy: inner)
                let first = outer * count * inner + offset
                softmax(
                    x.floats + first, into: y.floats + first, count: count, stride: inner, isLogarithmic: isLogarithmic)
            }
        }
    }
}

/// Local response normalisation across channels, in strips of pixels.
struct LocalResponseNormalizationStep: Step {
    let x: TensorView
    let y: MutableTensorView
    let normalization: LocalResponseNormalization

    /// Pixels in a strip: all channels of so many stay in the cache.
    private static let stripPixels = 128

    func run(_ context: StepContext) {
        let (images, channels) = (x.shape[0], x.shape[1])
        if x.shape.elementCount == 0 { return }
        let pixels = x.shape.elementCount / (images * channels)
        let strips = (pixels + Self.stripPixels - 1) / Self.stripPixels
        context.pool.forEach(images * strips) { index in
            let (image, strip) = index.quotientAndRemainder(dividingBy: strips)
            let first = strip * Self.stripPixels
            let offset = image * channels * pixels + first
            localResponseNormalization(
                x.floats + offset, into: y.floats + offset, channels: channels, channelStride: pixels,
                count: min(Self.stripPixels, pixels - first), alpha: normalization.alpha, beta: normalization.beta,
                bias: normalization.bias, size: normalization.size)
        }
    }
}
