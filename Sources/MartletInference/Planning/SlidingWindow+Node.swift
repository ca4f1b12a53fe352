import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

extension SlidingWindow {
    /// A network's window, with the extents of what it slides over, as the kernels take it.
    /// - Throws: ``NetworkError/unsupported(node:reason:)`` for more than three spatial axes.
    package init(_ window: Window, of node: Node, input: Shape, output: Shape) throws {
        guard window.rank == input.rank - 2, window.rank == output.rank - 2, (1...3).contains(window.rank) else {
            throw NetworkError.unsupported(
                node: node.label, reason: "\(node.operation.kind) of \(input.rank - 2) spatial axes")
        }
        let axes = (0..<window.rank).map { axis in
            let (before, after) = window.border(axis: axis, extent: input[axis + 2])
            return WindowAxis(
                input: input[axis + 2], output: output[axis + 2], kernel: window.kernel[axis],
                stride: window.strides[axis], dilation: window.dilations[axis], before: before, after: after)
        }
        switch axes.count {
        case 1: self.init(width: axes[0])
        case 2: self.init(height: axes[0], width: axes[1])
        default: self.init(depth: axes[0], height: axes[1], width: axes[2])
        }
    }
}
