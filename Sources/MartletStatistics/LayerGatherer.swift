import MartletInference
import MartletKernelsBaseline
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Gathers the moments of what one layer sees, or several that see the same.
final class LayerGatherer {
    /// What makes two layers see the same patches.
    struct View: Hashable {
        var input: String
        var groups: Int
        var channels: Int
        var kernel: [Int]
        var window: Window?

        init(_ layer: WeightedLayer, in network: Network) {
            input = network.nodes[layer.nodeIndex].input(0) ?? ""
            groups = layer.groups
            channels = layer.inputs
            kernel = layer.kernel
            if case .convolution(let convolution) = layer.kind { window = convolution.window }
        }
    }

    /// The first of the layers that see this.
    let layer: WeightedLayer
    private let kernels: MomentKernels
    private let form: MomentForm?
    private let imagesPerStep: Int
    /// The sums over inputs of the present size.
    private(set) var current: (shape: [Int], sums: MomentSums)?
    /// The moments of inputs of other sizes.
    private(set) var earlier: LayerMoments?

    init(layer: WeightedLayer, kernels: MomentKernels, form: MomentForm?, imagesPerStep: Int) {
        self.layer = layer
        self.kernels = kernels
        self.form = form
        self.imagesPerStep = imagesPerStep
    }

    /// The bytes that the sums take.
    var byteCount: Int { (current?.sums.byteCount ?? 0) + (earlier?.byteCount ?? 0) }

    /// Adds the patches of a batch: `[N, S, ...]` for a convolution, `[..., S]` for a fully connected layer.
    func add(_ input: TensorView, step: Int, scratch: Scratch, pool: ThreadPool) throws {
        let values = input.elements(of: Float.self)
        guard let base = values.baseAddress, !values.isEmpty else { return }
        let spatial = layer.spatialExtents(of: input.shape)
        let images = layer.images(in: input.shape)
        let sums = try sums(for: spatial, pool: pool)
        try sums.add(.planes(base), images: images, step: step, layer: layer.name, scratch: scratch, pool: pool)
    }

    /// Whether the patches can be taken from an input as it lies in blocks: a convolution of images, all blocks of which are whole.
    func takes(_ input: BlockedInput) -> Bool {
        guard case .convolution(let convolution) = layer.kind else { return false }
        return convolution.window.rank == 2 && input.lanes == kernels.lanes && layer.inputs % kernels.lanes == 0
    }

    /// Adds the patches of a batch that lies in blocks, as ``add(_:step:scratch:pool:)`` does, with the same bits.
    func add(_ input: BlockedInput, step: Int, scratch: Scratch, pool: ThreadPool) throws {
        if input.images == 0 || input.height == 0 || input.width == 0 { return }
        let sums = try sums(for: [input.height, input.width], pool: pool)
        try sums.add(.blocks(input), images: input.images, step: step, layer: layer.name, scratch: scratch, pool: pool)
    }

    /// The sums for inputs of these spatial extents; if the extents change, what there is is put by first.
    func sums(for spatial: [Int], pool: ThreadPool) throws -> MomentSums {
        if let current, current.shape == spatial { return current.sums }
        if current != nil {
            earlier = try moments(pool: pool)
            current = nil
        }
        let sums = try MomentSums(plan: try plan(for: spatial), kernels: kernels)
        current = (spatial, sums)
        return sums
    }

    /// The plan for inputs of these spatial extents.
    func plan(for spatial: [Int]) throws -> MomentPlan {
        .best(
            window: try layer.slidingWindow(input: spatial), channels: layer.inputs, groups: layer.groups,
            lanes: kernels.lanes, images: imagesPerStep, form: form)
    }

    /// Goes on where an interrupted run was; `nil` if it had other sums.
    func restore(earlier: LayerMoments?, shape: [Int], pool: ThreadPool) throws -> MomentSums {
        let sums = try sums(for: shape, pool: pool)
        self.earlier = earlier
        return sums
    }

    /// The moments of all patches so far.
    func moments(pool: ThreadPool) throws -> LayerMoments {
        var moments = try earlier ?? LayerMoments(groups: layer.groups, patchSize: layer.patchSize)
        try current?.sums.add(to: &moments, pool: pool)
        return moments
    }
}

extension WeightedLayer {
    /// The spatial extents of an input of this shape; a fully connected layer has none.
    func spatialExtents(of shape: Shape) -> [Int] {
        switch kind {
        case .fullyConnected: [1]
        case .convolution: Array(shape.extents.dropFirst(2))
        }
    }

    /// The images in an input of this shape; for a fully connected layer, its rows.
    func images(in shape: Shape) -> Int {
        switch kind {
        case .fullyConnected: shape.elementCount / max(1, inputs)
        case .convolution: shape[0]
        }
    }

    /// How the kernel moves over an input.
    /// - Throws: `NetworkError/unsupported(node:reason:)` for more than three axes.
    func slidingWindow(input: [Int]) throws -> SlidingWindow {
        switch kind {
        case .fullyConnected: SlidingWindow(width: WindowAxis())
        case .convolution(let convolution): try SlidingWindow(convolution.window, input: input)
        }
    }
}

extension SlidingWindow {
    /// The kernels' form of a window over an input of these spatial extents.
    /// - Throws: `NetworkError/unsupported(node:reason:)` for more than three axes.
    init(_ window: Window, input: [Int]) throws {
        guard (1...3).contains(window.rank), input.count == window.rank else {
            throw NetworkError.unsupported(node: "window", reason: "a window of \(window.rank) axes")
        }
        let axes = (0..<window.rank).map { axis in
            let border = window.border(axis: axis, extent: input[axis])
            return WindowAxis(
                input: input[axis], output: window.outputExtent(axis: axis, extent: input[axis]),
                kernel: window.kernel[axis], stride: window.strides[axis], dilation: window.dilations[axis],
                before: border.before, after: border.after)
        }
        let padded = [WindowAxis](repeating: WindowAxis(), count: 3 - axes.count) + axes
        self.init(depth: padded[0], height: padded[1], width: padded[2])
    }
}
