import MartletTensors

/// How a convolution or a pooling slides over its input: one entry per spatial axis.
public struct Window: Hashable, Sendable {
    /// Where the border lies.
    public enum Padding: Hashable, Sendable {
        /// So many elements before and after each axis.
        case explicit(before: [Int], after: [Int])
        /// As much as makes output = ceil(input / stride); an odd one goes after.
        case sameUpper
        /// As much as makes output = ceil(input / stride); an odd one goes before.
        case sameLower
        /// None.
        case valid
    }

    /// The extents of the window.
    public var kernel: [Int]
    /// The step between neighbouring windows.
    public var strides: [Int]
    /// The distance between neighbouring taps.
    public var dilations: [Int]
    /// The border.
    public var padding: Padding

    /// A window; strides and dilations are 1 and the padding 0 unless told.
    public init(kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, padding: Padding? = nil) {
        let ones = [Int](repeating: 1, count: kernel.count)
        let zeros = [Int](repeating: 0, count: kernel.count)
        self.kernel = kernel
        self.strides = strides ?? ones
        self.dilations = dilations ?? ones
        self.padding = padding ?? .explicit(before: zeros, after: zeros)
    }

    /// The number of spatial axes.
    public var rank: Int { kernel.count }

    /// The number of positions in the window.
    public var tapCount: Int { kernel.reduce(1, *) }

    /// Why the window makes no sense, or `nil` if it does.
    var defect: String? {
        if strides.count != rank || dilations.count != rank {
            return "kernel \(kernel), strides \(strides) and dilations \(dilations) differ in length"
        }
        if case .explicit(let before, let after) = padding {
            if before.count != rank || after.count != rank { return "the padding has not \(rank) axes" }
            if (before + after).contains(where: { $0 < 0 || $0 > Window.limit }) {
                return "the padding \(before + after) is out of range"
            }
        }
        for (name, values) in [("kernel", kernel), ("strides", strides), ("dilations", dilations)] {
            if values.contains(where: { $0 < 1 || $0 > Window.limit }) { return "\(name) \(values) is out of range" }
        }
        return nil
    }

    /// No extent of a window is larger: sums and products of a few of them then cannot overflow.
    static let limit = 1 << 24

    /// The border of one axis, for an input of `extent` elements.
    public func border(axis: Int, extent: Int) -> (before: Int, after: Int) {
        switch padding {
        case .explicit(let before, let after): return (before[axis], after[axis])
        case .valid: return (0, 0)
        case .sameUpper, .sameLower:
            let output = (extent + strides[axis] - 1) / strides[axis]
            let span = dilations[axis] * (kernel[axis] - 1) + 1
            let total = max(0, (output - 1) * strides[axis] + span - extent)
            return padding == .sameUpper ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
        }
    }

    /// The number of windows along one axis; zero or less if the input is too small for one.
    ///
    /// With `ceilMode` a last window may start inside the input or its left border and reach over the right one, as
    /// ONNX and PyTorch have it.
    public func outputExtent(axis: Int, extent: Int, ceilMode: Bool = false) -> Int {
        let (before, after) = border(axis: axis, extent: extent)
        let span = dilations[axis] * (kernel[axis] - 1) + 1
        let room = extent + before + after - span
        if room < 0 { return 0 }
        var output = room / strides[axis] + 1
        if ceilMode, room % strides[axis] != 0, output * strides[axis] < extent + before { output += 1 }
        return output
    }
}
