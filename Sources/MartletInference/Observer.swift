import MartletNetworks
import MartletTensors

/// Somebody who wants to see what goes into the layers of a network while it runs.
///
/// A layer is a convolution, `Gemm` or `MatMul` whose second input, the weight, is a constant.
public struct Observer {
    /// The layers wanted, by name (``Network/layerNames``); `nil` for all.
    public let layers: Set<String>?
    /// Is called before each wanted layer runs with its name and its input: float32 `[images, channels, ...]`, valid
    /// only inside the call. An error ends the run.
    public let observe: (_ layer: String, _ input: TensorView) throws -> Void
    /// Is shown an input that lies in blocks first, where given. If it returns false, the input is copied for ``observe``.
    package let observeBlocks: ((_ layer: String, _ input: BlockedInput) throws -> Bool)?

    /// An observer of these layers.
    public init(
        layers: Set<String>? = nil, observe: @escaping (_ layer: String, _ input: TensorView) throws -> Void
    ) {
        self.layers = layers
        self.observe = observe
        observeBlocks = nil
    }

    /// An observer that can do with inputs as they lie: `observeBlocks` returns whether it did.
    package init(
        layers: Set<String>?, observeBlocks: @escaping (_ layer: String, _ input: BlockedInput) throws -> Bool,
        observe: @escaping (_ layer: String, _ input: TensorView) throws -> Void
    ) {
        self.layers = layers
        self.observe = observe
        self.observeBlocks = observeBlocks
    }

    func wants(_ layer: String) -> Bool { layers?.contains(layer) ?? true }
}
