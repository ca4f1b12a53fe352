import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

/// The signals of one layer's input of a certain size, and which sums over them make its second moment.
///
/// A signal is a channel of the input, thinned out by the stride where there is one (see ``SignalAxis``). Along the depth
/// of a three-dimensional convolution every tap has signals of its own, and the outputs count as images.
struct MomentGeometry {
    /// A kind of signal, the same for all channels.
    struct Phase: Hashable {
        var depthTap: Int
        var y: Int
        var x: Int
    }

    let depth: WindowAxis
    let height: SignalAxis
    let width: SignalAxis
    /// The extents of a plane of the input.
    let inputHeight: Int
    let inputWidth: Int
    /// Channels of the input, of all groups.
    let channels: Int
    let groups: Int
    /// The phases; signal `phase * channels + channel`.
    let phases: [Phase]
    /// The taps of the kernel, row-major: depth, height, width.
    let taps: [(depth: Int, y: Int, x: Int)]

    init(window: SlidingWindow, channels: Int, groups: Int, unfolds: Bool) {
        depth = window.depth
        func axis(_ axis: WindowAxis) -> SignalAxis {
            SignalAxis(
                input: axis.input, outputs: axis.output, kernel: axis.kernel, stride: axis.stride,
                dilation: axis.dilation, before: axis.before, unfolds: unfolds)
        }
        height = axis(window.height)
        width = axis(window.width)
        inputHeight = window.height.input
        inputWidth = window.width.input
        self.channels = channels
        self.groups = groups
        var phases: [Phase] = []
        for depthTap in 0..<window.depth.kernel {
            for y in height.phases.indices {
                for x in width.phases.indices { phases.append(Phase(depthTap: depthTap, y: y, x: x)) }
            }
        }
        self.phases = phases
        let (rows, columns) = (height.taps.count, width.taps.count)
        taps = (0..<depth.kernel * rows * columns).map { tap in
            (tap / (rows * columns), tap / columns % rows, tap % columns)
        }
    }

    /// The number of signals.
    var signals: Int { phases.count * channels }
    /// Channels of a group.
    var channelsPerGroup: Int { channels / groups }
    /// The length of a patch of one group.
    var patchSize: Int { channelsPerGroup * taps.count }

    /// The phase that a tap sees.
    func phase(of tap: Int) -> Int {
        let (z, y, x) = taps[tap]
        return (z * height.phases.count + height.taps[y].phase) * width.phases.count + width.taps[x].phase
    }

    /// The sums for a pair of taps.
    func sum(_ first: Int, _ second: Int) -> TapPairSum {
        TapPairSum(height, width, first: (taps[first].y, taps[first].x), second: (taps[second].y, taps[second].x))
    }

    /// The plane of the input that a depth tap sees at an output, `nil` for the border.
    func plane(depthTap: Int, output: Int) -> Int? {
        let z = output * depth.stride + depthTap * depth.dilation - depth.before
        return (0..<depth.input).contains(z) ? z : nil
    }
}
