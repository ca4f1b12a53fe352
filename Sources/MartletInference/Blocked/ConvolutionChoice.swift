import MartletNetworks

/// How a convolution on blocks is computed.
enum ConvolutionAlgorithm: Hashable, Sendable {
    /// Products of the kernel as it is.
    case direct
    /// Winograd's minimal filtering.
    case winograd(WinogradTile)
    /// One step of Strassen's product of matrices, for kernels that Winograd's filtering does not have.
    case strassen
}

/// Chooses the algorithm of each convolution by what it should cost.
///
/// The unit of cost is the time of one multiply-add of vectors. The choice depends on the extents of one image, never on
/// the batch or the threads: an image's result is the same to the bit in every batch.
struct ConvolutionChoice {
    /// Channels of a block.
    let lanes: Int
    /// Bytes of all weights of the network: where they exceed the caches, reading a layer's weights from memory takes as
    /// long as the arithmetic.
    let weightBytes: Int
    /// Choices that were found by measuring, in place of those by cost.
    var tuned: [Tuning.Problem: ConvolutionAlgorithm] = [:]
    /// Used wherever it can be, to measure it.
    var preferred: ConvolutionAlgorithm?

    /// Last-level caches hold some tens of megabytes, a part of which is ours; Winograd's weights are up to four times
    /// the size of the kernel's.
    private static let cachedBytes = 6 << 20

    /// Bytes that arrive in the time of one multiply-add of vectors of `lanes` floats. Measured on one core of a Zen 4 with
    /// AVX-512: 8 from memory and 25 from the last-level cache; narrower vectors are as much faster as they are narrower.
    private var bytesInUnit: Double {
        (weightBytes > ConvolutionChoice.cachedBytes ? 0.5 : 1.5) * Double(lanes)
    }

    /// The algorithm for a convolution of one group from `input` to `output` (`[N, C, H, W]`).
    func algorithm(for convolution: Convolution, input: [Int], output: [Int]) -> ConvolutionAlgorithm {
        let window = convolution.window
        if isByStrassen(convolution, input: input, output: output) { return .strassen }
        guard convolution.groups == 1, window.kernel.count == 2, window.kernel[0] == window.kernel[1],
            window.strides == [1, 1], window.dilations == [1, 1]
        else { return .direct }
        let taps = window.kernel[0]
        if let given = given(for: convolution, taps: taps, input: input, output: output) { return given }
        let direct = directCost(inputs: input[1], output: output, taps: taps * taps)
        return best(among: taps, inputs: input[1], output: output, below: direct) ?? .direct
    }

    /// How to fold the image that a convolution with a stride reads, `nil` to read it as it is: its stride becomes
    /// channels, and the kernel a smaller one of stride 1 for Winograd's filtering.
    func fold(for convolution: Convolution, input: [Int], output: [Int]) -> (fold: StrideFold, tile: WinogradTile)? {
        let window = convolution.window
        guard convolution.groups == 1, window.kernel.count == 2, window.kernel[0] == window.kernel[1],
            window.strides[0] == window.strides[1], window.strides[0] > 1, window.dilations == [1, 1], input[1] <= 4
        else { return nil }
        let (kernel, stride) = (window.kernel[0], window.strides[0])
        let taps = (kernel + stride - 1) / stride
        let direct = directCost(inputs: input[1], output: output, taps: kernel * kernel)
        guard
            case .winograd(let tile)? = given(for: convolution, taps: taps, input: input, output: output)
                ?? best(among: taps, inputs: input[1] * stride * stride, output: output, below: direct)
        else { return nil }
        return (
            StrideFold(
                stride: stride, taps: taps, channels: input[1], height: input[2], width: input[3],
                top: window.border(axis: 0, extent: input[2]).before,
                left: window.border(axis: 1, extent: input[3]).before), tile
        )
    }

    /// The algorithm that is not chosen by cost; one that does not fit the kernel is none.
    private func given(
        for convolution: Convolution, taps: Int, input: [Int], output: [Int]
    ) -> ConvolutionAlgorithm? {
        let problem = Tuning.Problem(convolution, input: input, output: output)
        switch preferred ?? tuned[problem] {
        case .winograd(let tile)? where tile.taps == taps: return .winograd(tile)
        case .direct?: return .direct
        default: return nil
        }
    }

    /// Whether Strassen's product is for a convolution: a 1x1 one, or one of several taps with a stride.
    private func isByStrassen(_ convolution: Convolution, input: [Int], output: [Int]) -> Bool {
        let window = convolution.window
        guard convolution.groups == 1, window.kernel.count == 2, window.tapCount == 1 || window.strides != [1, 1],
            StrassenConvolution.fits(inputs: input[1], output: output, lanes: lanes)
        else { return false }
        switch preferred ?? tuned[Tuning.Problem(convolution, input: input, output: output)] {
        case .strassen?: return true
        case .direct?: return false
        default: break
        }
        let taps = window.tapCount
        let direct = directCost(inputs: input[1], output: output, taps: taps)
        // All pixels of the input are summed, those between what a single tap sees excepted.
        let density = taps == 1 ? 1 : window.strides.reduce(1) { $0 * Double($1) }
        return strassenCost(inputs: input[1], output: output, taps: taps, density: density) < direct
    }

    private func best(among taps: Int, inputs: Int, output: [Int], below direct: Double) -> ConvolutionAlgorithm? {
        var best: (tile: WinogradTile, cost: Double)?
        for tile in WinogradTile.allCases where tile.taps == taps {
            let cost = winogradCost(tile, inputs: inputs, output: output)
            if cost < best?.cost ?? direct { best = (tile, cost) }
        }
        return best.map { .winograd($0.tile) }
    }

    private func blocks(_ channels: Int) -> Double { Double((channels + lanes - 1) / lanes) }

    /// The product of extents, which nobody has checked yet: a file may say any.
    private func product(_ extents: Int...) -> Double { extents.reduce(1) { $0 * Double($1) } }

    /// The products and the stream of weights run beside each other.
    private func cost(products: Double, weights: Double) -> Double {
        max(products, weights * Double(MemoryLayout<Float>.stride) / bytesInUnit)
    }

    private func directCost(inputs: Int, output: [Int], taps: Int) -> Double {
        cost(
            products: product(output[2], output[3], inputs, taps) * blocks(output[1]),
            weights: product(inputs, output[1], taps))
    }

    private func strassenCost(inputs: Int, output: [Int], taps: Int, density: Double) -> Double {
        let pixels = product(output[2], output[3])
        let (inputBlocks, outputBlocks) = (blocks(inputs), blocks(output[1]))
        // Measured: what four vectors of pixels, or of results, take on their way from and to a cache that is not the nearest.
        return cost(
            products: 0.875 * pixels * product(inputs, taps) * outputBlocks,
            weights: 1.75 * product(inputs, output[1], taps))
            + pixels / 4 * (density * inputBlocks * 24 + outputBlocks * 43)
    }

    private func winogradCost(_ tile: WinogradTile, inputs: Int, output: [Int]) -> Double {
        let tiles = product((output[2] + tile.size - 1) / tile.size, (output[3] + tile.size - 1) / tile.size)
        let inputBlocks = blocks(inputs)
        // Measured: what a tile of one block takes to be transformed.
        let (before, after) = tile.points == 6 ? (250.0, 230.0) : (90.0, 80.0)
        let terms = inputBlocks == 1 ? Double(inputs) : inputBlocks * Double(lanes)
        return cost(
            products: tiles * Double(tile.positions) * terms * blocks(output[1]),
            weights: product(inputs, output[1], tile.positions))
            + tiles * (inputBlocks * before + blocks(output[1]) * after)
    }
}
