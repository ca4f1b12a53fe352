/// The packed weights of a convolution, which reads them a panel at a time: the weights of one pair of output blocks.
enum WeightPanels {
    case floats(UnsafePointer<Float>)
    /// Each panel is widened before it is used, into memory that stays in the thread's cache.
    case halves(UnsafePointer<Float16>)

    /// Floats of scratch memory that a panel of `count` weights takes.
    func scratch(_ count: Int) -> Int {
        switch self {
        case .floats: 0
        case .halves: count
        }
    }
}

extension KernelSet {
    /// `convolveRows` of the kernels with the panel of weights that begins at `place`; `widened` is the scratch memory.
    @inline(__always) func convolveRows(
        input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int, offsets: UnsafePointer<Int>,
        offsetCount: Int, channels: ChannelsRead, weights: WeightPanels, place: Int,
        widened: UnsafeMutablePointer<Float>, vectors: Int, bias: UnsafePointer<Float>,
        residual: UnsafePointer<Float>?, residualRowStep: Int, residualBlockStep: Int,
        output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputBlockStep: Int, rows: Int, columns: Int,
        minimum: Float, maximum: Float
    ) {
        switch weights {
        case .floats(let weights):
            convolveRows(
                input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep, offsets: offsets,
                offsetCount: offsetCount, lanes: channels.lanes, wholeCount: channels.wholeCount(of: offsetCount),
                lastLanes: channels.lastLanes, weights: weights + place, vectors: vectors, bias: bias,
                residual: residual, residualRowStep: residualRowStep, residualBlockStep: residualBlockStep,
                output: output, outputRowStep: outputRowStep, outputBlockStep: outputBlockStep, rows: rows,
                columns: columns, minimum: minimum, maximum: maximum)
        case .halves(let weights):
            convolveHalfRows(
                input: input, inputRowStep: inputRowStep, inputColumnStep: inputColumnStep, offsets: offsets,
                offsetCount: offsetCount, lanes: channels.lanes, wholeCount: channels.wholeCount(of: offsetCount),
                lastLanes: channels.lastLanes, weights: weights + place, widened: widened, vectors: vectors,
                bias: bias, residual: residual, residualRowStep: residualRowStep,
                residualBlockStep: residualBlockStep, output: output, outputRowStep: outputRowStep,
                outputBlockStep: outputBlockStep, rows: rows, columns: columns, minimum: minimum, maximum: maximum)
        }
    }
}
