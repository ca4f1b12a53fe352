/// One of the layers that together stand for a kernel: a convolution without a bias.
public struct FactorLayer: Sendable, Equatable {
    /// The axes on which the layer takes over the original window's stride, padding and dilation. On the others it is 1
    /// wide and moves by 1.
    public enum Window: String, Sendable {
        /// None: a pointwise layer.
        case point
        /// The vertical one.
        case rows
        /// The horizontal one.
        case columns
        /// Both.
        case full
    }

    /// What it is, in a word that serves as a name in the network: `input_factor`, `core`.
    public let name: String
    /// Its weights, `[outputs, inputs of one group, height, width]`.
    public let kernel: ConvolutionKernel
    /// Where it slides.
    public let window: Window
    /// Whether every channel is a group of its own.
    public let isDepthwise: Bool

    /// A layer; `kernel` has one input a group where it is depthwise.
    public init(_ name: String, _ kernel: ConvolutionKernel, window: Window, isDepthwise: Bool = false) {
        self.name = name
        self.kernel = kernel
        self.window = window
        self.isDepthwise = isDepthwise
    }
}
