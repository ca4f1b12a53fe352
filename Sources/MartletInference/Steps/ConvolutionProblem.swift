import MartletKernelsBaseline
import MartletNetworks

/// A convolution with its operands in memory: `x` `[images, channels, ...]`, `weight`
/// `[outputs, channels / groups, ...]`, `y` `[images, outputs, ...]`.
struct ConvolutionProblem {
    let x: UnsafePointer<Float>
    let weight: UnsafePointer<Float>
    let y: UnsafeMutablePointer<Float>
    let images: Int
    let channels: Int
    let outputs: Int
    let groups: Int
    let window: SlidingWindow
    let epilogue: Epilogue

    /// Input channels that an output sees.
    var channelsInGroup: Int { channels / groups }
    /// Output channels of a group.
    var outputsInGroup: Int { outputs / groups }
    /// Products summed into an output.
    var terms: Int { channelsInGroup * window.tapCount }
    /// Output positions of a channel.
    var pixels: Int { window.outputCount }

    /// Whether every output sees one channel alone.
    var isDepthwise: Bool { groups > 1 && channelsInGroup == 1 }

    /// Whether the output is a product of the weight with the input as it lies.
    var isPointwise: Bool {
        window.tapCount == 1
            && [window.depth, window.height, window.width].allSatisfy {
                $0.stride == 1 && $0.before == 0 && $0.after == 0
            }
    }

    /// The input of a group of an image.
    func input(image: Int, group: Int) -> UnsafePointer<Float> {
        x + (image * channels + group * channelsInGroup) * window.inputCount
    }

    /// The offset in the result of a channel of an image.
    func resultOffset(image: Int, output: Int) -> Int { (image * outputs + output) * pixels }
}
