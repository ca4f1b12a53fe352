import MartletTensors

/// Images mirrored and moved at random, as networks are trained on them.
public struct Augmentation: Hashable, Sendable, Codable {
    /// Whether half of the images are mirrored.
    public var mirrors: Bool
    /// Pixels that an image is moved by at most, along each axis and in each direction; what comes in is black.
    public var shift: Int

    /// Mirroring, and so large a shift.
    public init(mirrors: Bool = true, shift: Int) {
        self.mirrors = mirrors
        self.shift = shift
    }

    /// Changes the images of a batch, each by numbers that its place among all images and the pass over them decide.
    /// - Parameters:
    ///   - batch: Float32 `[N, C, H, W]`.
    ///   - first: The place of the first image in this pass.
    ///   - black: What black is after preprocessing, by channel.
    func apply(to batch: inout Tensor, seed: UInt64, pass: Int, first: Int, black: [Float]) throws {
        guard batch.shape.rank == 4, mirrors || shift > 0 else { return }
        let extents = batch.shape.extents
        let (channels, height, width) = (extents[1], extents[2], extents[3])
        try batch.withMutableElements(of: Float.self) { elements in
            var copy = [Float](repeating: 0, count: height * width)
            for image in 0..<extents[0] {
                var random = SplitMix64(
                    seed: seed &+ UInt64(pass) &* 0x9e37_79b9 &+ UInt64(first + image) &* 0x1_0000_0001)
                let isMirrored = mirrors && random.next() >> 63 == 1
                let down = random.integer(below: 2 * shift + 1) - shift
                let right = random.integer(below: 2 * shift + 1) - shift
                for channel in 0..<channels {
                    let start = (image * channels + channel) * height * width
                    for index in copy.indices { copy[index] = elements[start + index] }
                    for row in 0..<height {
                        for column in 0..<width {
                            let (y, x) = (row - down, (isMirrored ? width - 1 - column : column) - right)
                            let isInside = y >= 0 && y < height && x >= 0 && x < width
                            elements[start + row * width + column] =
                                isInside ? copy[y * width + x] : black[channel % black.count]
                        }
                    }
                }
            }
        }
    }
}
