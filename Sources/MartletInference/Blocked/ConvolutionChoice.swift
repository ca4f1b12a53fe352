import MartletNetworks

/// How a convolution on blocks is computed.
enum ConvolutionAlgorithm: Hashable, Sendable {
    /// Products of the kernel as it is.
    case direct
    /// Winograd's minimal filtering.
    case winograd(WinogradTile)
    /// One step of Strassen's product of matrices, for 1x1 kernels.
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
        guard convolution.groups == 1, window.kernel.count == 2 else { return .direct }
        var candidates: [(algorithm: ConvolutionAlgorithm, cost: Double)] = [
            (.direct, directCost(inputs: input[1], output: output, taps: window.tapCount))
        ]
        let isPadded = (0..<2).contains { window.border(axis: $0, extent: input[2 + $0]).before > 0 }
        if window.tapCount == 1, !isPadded,
            StrassenConvolution.fits(inputs: input[1], outputs: output[1], lanes: lanes)
        {
            candidates.append((.strassen, strassenCost(inputs: input[1], output: output)))
        }
        if window.kernel[0] == window.kernel[1], window.strides[0] == window.strides[1], window.dilations == [1, 1] {
            candidates += filterings(
                taps: window.kernel[0], stride: window.strides[0], inputs: input[1], output: output)
        }
        return choice(among: candidates, for: convolution, input: input, output: output)
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
        let candidates =
            [(.direct, direct)]
            + filterings(taps: taps, stride: 1, inputs: input[1] * stride * stride, output: output)
        guard case .winograd(let tile) = choice(among: candidates, for: convolution, input: input, output: output)
        else { return nil }
        return (
            StrideFold(
                stride: stride, taps: taps, channels: input[1], height: input[2], width: input[3],
                top: window.border(axis: 0, extent: input[2]).before,
                left: window.border(axis: 1, extent: input[3]).before), tile
        )
    }

    private typealias Candidate = (algorithm: ConvolutionAlgorithm, cost: Double)

    /// The candidate that is asked for, if it is one; else that of least cost.
    private func choice(
        among candidates: [Candidate], for convolution: Convolution, input: [Int], output: [Int]
    ) -> ConvolutionAlgorithm {
        let given = preferred ?? tuned[Tuning.Problem(convolution, input: input, output: output)]
        if let given, candidates.contains(where: { $0.algorithm == given }) { return given }
        return candidates.min { $0.cost < $1.cost }?.algorithm ?? .direct
    }

    /// Winograd's filtering by every tile that there is for a square kernel.
    private func filterings(taps: Int, stride: Int, inputs: Int, output: [Int]) -> [Candidate] {
        WinogradTile.allCases.filter { $0.taps == taps && $0.stride == stride }.map {
            (.winograd($0), winogradCost($0, inputs: inputs, output: output))
        }
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

    private func strassenCost(inputs: Int, output: [Int]) -> Double {
        // An odd number of pixels is one more.
        let pixels = (product(output[2], output[3]) / 2).rounded(.up) * 2
        let (inputBlocks, outputBlocks) = (blocks(inputs), blocks(output[1]))
        // Measured: what four vectors of pixels, or of results, take on their way from and to a cache that is not the nearest.
        return cost(
            products: 0.875 * pixels * Double(inputs) * outputBlocks, weights: 1.75 * product(inputs, output[1]))
            + pixels / 4 * (inputBlocks * 24 + outputBlocks * 43)
    }

    private func winogradCost(_ tile: WinogradTile, inputs: Int, output: [Int]) -> Double {
        let tiles = product((output[2] + tile.size - 1) / tile.size, (output[3] + tile.size - 1) / tile.size)
        let inputBlocks = blocks(inputs)
        // Measured: what a tile of one block takes to be transformed.
        let (before, after) =
            switch tile {
            case .f2x3: (90.0, 80.0)
            case .f2x3By2: (140.0, 110.0)
            case .f4x3, .f3x4, .f2x5: (250.0, 230.0)
            }
        return cost(
            products: tile.products(extent: output[2]) * tile.products(extent: output[3]) * Double(inputs)
                * blocks(output[1]),
            weights: product(inputs, output[1], tile.kernelPositions))
            + tiles * (inputBlocks * before + blocks(output[1]) * after)
    }
}
