import MartletKernelsBaseline
import MartletNetworks

/// The extents of a convolution: `x` `[images, channels, ...]`, weight `[outputs, channels / groups, ...]`, `y`
/// `[images, outputs, ...]`.
struct ConvolutionGeometry {
    let images: Int
    let channels: Int
    let outputs: Int
    let groups: Int
    let window: SlidingWindow

    /// Input channels that an output sees.
    var channelsInGroup: Int { channels / groups }
    /// Output channels of a group.
    var outputsInGroup: Int { outputs / groups }
    /// Products summed into an output.
    var terms: Int { channelsInGroup * window.tapCount }
    /// Output positions of a channel.
    var pixels: Int { window.outputCount }
    /// Elements of an image's input.
    var inputCount: Int { channels * window.inputCount }
    /// Elements of an image's result.
    var outputCount: Int { outputs * pixels }
    /// Elements of the weight.
    var weightCount: Int { outputs * terms }

    /// Whether every output sees one channel alone.
    var isDepthwise: Bool { groups > 1 && channelsInGroup == 1 }

    /// Whether the result is a product of the weight with the input as it lies.
    var isPointwise: Bool {
        window.tapCount == 1
            && [window.depth, window.height, window.width].allSatisfy {
                $0.stride == 1 && $0.before == 0 && $0.after == 0
            }
    }
}
