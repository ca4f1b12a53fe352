import MartletInference

/// What a layer sees, wherever it lies.
enum SignalSource {
    /// `[images, channels, depth, height, width]`.
    case planes(UnsafePointer<Float>)
    /// In whole blocks of the kernels' lanes.
    case blocks(BlockedInput)
}
