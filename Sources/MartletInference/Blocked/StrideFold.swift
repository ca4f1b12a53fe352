import MartletTensors

/// An image whose rows and columns are dealt out among channels: with stride s, pixel (s y + p, s x + q) of channel c becomes
/// pixel (y, x) of channel `(c s + p) s + q`. A convolution of stride s then is one of stride 1 with a kernel as much smaller,
/// whose input channels fill a block instead of three of its lanes.
///
/// The rows count from where the convolution's first window begins, in the border, so nothing is left to pad.
struct StrideFold: Hashable, Sendable {
    /// s.
    var stride: Int
    /// Taps along one side of the folded kernel.
    var taps: Int
    /// Channels of the image.
    var channels: Int
    /// Rows of the image.
    var height: Int
    /// Columns of the image.
    var width: Int
    /// Rows of the border above the image.
    var top: Int
    /// Columns of the border left of the image.
    var left: Int

    /// Channels of the folded image.
    var foldedChannels: Int { channels * stride * stride }

    /// The folded kernel `[T, S s s, taps, taps]` of `[T, S, k, k]`; taps that the kernel does not have are zero.
    /// - Throws: `TensorError`.
    func kernel(_ weight: Tensor) throws -> Tensor {
        let (outputs, side) = (weight.shape[0], weight.shape[2])
        var folded = try Tensor(zeros: Shape([outputs, foldedChannels, taps, taps]), elementType: .float32)
        try folded.withMutableElements(of: Float.self) { target in
            weight.withElements(of: Float.self) { source in
                for plane in 0..<outputs * channels {
                    for row in 0..<side {
                        let (a, p) = row.quotientAndRemainder(dividingBy: stride)
                        for column in 0..<side {
                            let (b, q) = column.quotientAndRemainder(dividingBy: stride)
                            let channel = (plane * stride + p) * stride + q
                            target[(channel * taps + a) * taps + b] = source[(plane * side + row) * side + column]
                        }
                    }
                }
            }
        }
        return folded
    }
}

/// An image copied from rows of pixels into blocks, folded.
struct FoldToBlocks: Step {
    let x: PlanarInput
    let y: BlockedValue
    let fold: StrideFold
    let kernels: KernelSet

    var algorithm: String { "folded by \(fold.stride)" }

    func run(_ context: StepContext) {
        let (x, y, fold, kernels) = (x.base, y, fold, kernels)
        let layout = y.layout
        let plane = fold.height * fold.width
        context.forEachPart(of: layout.images * layout.height, size: 16) { rows in
            for row in rows {
                let (image, row) = row.quotientAndRemainder(dividingBy: layout.height)
                kernels.foldRow(
                    input: x + image * fold.channels * plane, inputChannelStep: plane, inputRows: fold.height,
                    inputColumns: fold.width, channels: fold.channels, stride: fold.stride,
                    firstRow: row * fold.stride - fold.top, firstColumn: -fold.left,
                    output: y.plane(image: image, block: 0) + row * layout.rowStride,
                    outputBlockStep: layout.blockStride, columns: layout.width)
            }
        }
    }
}
