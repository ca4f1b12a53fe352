import MartletTensors

/// Is shown, during a backward pass, what goes into each layer and the gradient of the loss by what comes out of it.
public protocol GradientObserver {
    /// Whether it wants to see this layer (a convolution's or matrix product's node name).
    func wants(_ layer: String) -> Bool

    /// Shown on the calling thread, in backward order, valid only inside the call.
    /// - Parameters:
    ///   - layer: The node's name.
    ///   - input: What went into the layer, float32 `[N, channels, ...]` or `[N, features]`.
    ///   - gradient: Of the loss by what the layer puts out before any activation, in the shape of that.
    func observe(_ layer: String, input: TensorView, gradient: TensorView)
}
