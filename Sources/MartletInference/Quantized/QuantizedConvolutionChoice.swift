import MartletNetworks

/// Chooses the algorithm of each convolution on bytes by what it should cost, as ``ConvolutionChoice`` does for floats.
struct QuantizedConvolutionChoice {
    let kernels: QuantizedKernelSet
    /// Used wherever it can be.
    var preferred: ConvolutionAlgorithm?

    /// Bytes of weights that arrive in the time of one multiply-add of vectors, as long as a layer's weights stay in the
    /// last-level cache from one image to the next.
    private static let bytesInUnit = 20.0
    /// Transformed weights are eight times as large: of a large layer they would come from memory every time.
    private static let largestWeights = 6.0 * 1024 * 1024

    /// Whether a convolution takes longer on bytes than on floats: of an image of few channels with a stride, where there are no
    /// sums of four products: bytes take two instructions for them, where floats fold the image and filter it with a third of
    /// the products.
    static func isSlow(_ convolution: Convolution, input: [Int], output: [Int], kernels: KernelSet) -> Bool {
        QuantizedKernelSet(kernels.instructionSet).weightBytes > 1
            && ConvolutionChoice(lanes: kernels.lanes, weightBytes: 0)
                .fold(for: convolution, input: input, output: output) != nil
    }

    /// The algorithm for a convolution from `input` to `output` (`[N, C, H, W]`).
    func algorithm(for convolution: Convolution, input: [Int], output: [Int]) -> ConvolutionAlgorithm {
        let window = convolution.window
        // Below a block of channels the transforms are most of the work, and bytes of few channels have a layout of their own.
        guard convolution.groups == 1, window.kernel == [3, 3], window.strides == [1, 1], window.dilations == [1, 1],
            input[1] > 4, preferred != .direct
        else { return .direct }
        if case .winograd? = preferred { return .winograd(.f4x3) }
        // Measured where two products begin in a cycle: bytes as they are reach 0.97 of that, and sums of pairs, with what is before
        // and after them and weights eight times as large, are slower in every layer of ResNet-18.
        if kernels.instructionSet.doublesByteProducts { return .direct }
        let block = Double(QuantizedKernelSet.channelsOfBlock)
        let inputBlocks = (Double(input[1]) / block).rounded(.up)
        let vectors = (Double(output[1]) / block).rounded(.up) * block / Double(kernels.lanes)
        // A pair of 16 bits is one multiply-add.
        let pairs = inputBlocks * block / 2
        let quads = pairs / 2 * QuantizedKernelSet(kernels.instructionSet).costOfQuad
        let direct = Double(output[2]) * Double(output[3]) * 9 * quads * vectors
        let tiles = ((Double(output[2]) + 3) / 4).rounded(.down) * ((Double(output[3]) + 3) / 4).rounded(.down)
        let weights = 36 * 4 * pairs * vectors * Double(kernels.lanes)
        guard weights <= QuantizedConvolutionChoice.largestWeights else { return .direct }
        let tile = WinogradTile.f4x3
        let positions = tile.products(extent: output[2]) * tile.products(extent: output[3])
        let products = max(positions * pairs * vectors, weights / QuantizedConvolutionChoice.bytesInUnit)
        // Measured: what a tile of one block, or vector, takes to be transformed.
        let transforms = tiles * (inputBlocks * 150 + vectors * 220)
        return products + transforms < direct ? .winograd(.f4x3) : .direct
    }
}
