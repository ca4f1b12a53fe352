/// One spatial axis of a window that slides over an input.
public struct WindowAxis {
    /// The input's extent.
    public var input: Int
    /// The number of windows.
    public var output: Int
    /// The number of taps.
    public var kernel: Int
    /// The step between neighbouring windows.
    public var stride: Int
    /// The distance between neighbouring taps.
    public var dilation: Int
    /// The width of the border before the input.
    public var before: Int
    /// The width of the border after the input.
    public var after: Int

    /// An axis; the values left out are those of an axis that is not there.
    public init(
        input: Int = 1, output: Int = 1, kernel: Int = 1, stride: Int = 1, dilation: Int = 1, before: Int = 0,
        after: Int = 0
    ) {
        self.input = input
        self.output = output
        self.kernel = kernel
        self.stride = stride
        self.dilation = dilation
        self.before = before
        self.after = after
    }

    /// The input position that tap `tap` of window 0 looks at; negative in the border.
    @inline(__always) func offset(tap: Int) -> Int { tap * dilation - before }

    /// The first window whose tap at `offset` is not before the input.
    @inline(__always) func firstInside(offset: Int) -> Int {
        // Asked once for every row and tap: the common stride is spared the division.
        let first = offset >= 0 ? 0 : stride == 1 ? -offset : (stride - 1 - offset) / stride
        return first < output ? first : output
    }

    /// The first window whose tap at `offset` is past the input; never less than ``firstInside(offset:)``.
    @inline(__always) func endInside(offset: Int) -> Int {
        let first = firstInside(offset: offset)
        let end = offset >= input ? 0 : stride == 1 ? input - offset : (input - offset + stride - 1) / stride
        return end < first ? first : end < output ? end : output
    }

    /// The number of taps of a window that lie inside the input, or inside input and border.
    @inline(__always) func tapsInside(window: Int, countsBorder: Bool) -> Int {
        let origin = window * stride - before
        let end = countsBorder ? input + after : input
        if (origin >= 0 || countsBorder) && origin + (kernel - 1) * dilation < end { return kernel }
        var count = 0
        for tap in 0..<kernel {
            let position = origin + tap * dilation
            if position < end && (countsBorder || position >= 0) { count += 1 }
        }
        return count
    }
}

/// A window over up to three spatial axes. One and two axes leave the outer ones at extent 1.
public struct SlidingWindow {
    /// The axes, outermost first.
    public var depth, height, width: WindowAxis

    /// A window over these axes.
    public init(depth: WindowAxis = WindowAxis(), height: WindowAxis = WindowAxis(), width: WindowAxis) {
        self.depth = depth
        self.height = height
        self.width = width
    }

    /// The number of input positions of one channel.
    public var inputCount: Int { depth.input * height.input * width.input }
    /// The number of windows.
    public var outputCount: Int { depth.output * height.output * width.output }
    /// The number of taps.
    public var tapCount: Int { depth.kernel * height.kernel * width.kernel }
}
