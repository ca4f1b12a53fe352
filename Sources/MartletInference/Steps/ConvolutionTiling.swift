/// How the matrix product behind a convolution is cut: tiles of output pixels, and blocks of output channels where there
/// are few tiles.
///
/// The cut follows from one group of one image alone. A product's sums may be ordered differently in a block of another
/// size, so a cut that looked at threads or batch would change the bits.
struct ConvolutionTiling {
    /// Output pixels in a tile; the last may have fewer.
    let tilePixels: Int
    /// The number of tiles.
    let tileCount: Int
    /// Output channels in a block; the last may have fewer.
    let blockOutputs: Int
    /// The number of blocks.
    let blockCount: Int
    private let pixels: Int
    private let outputs: Int

    /// More pixels make a product no faster.
    private static let mostPixels = 512
    /// The elements of an unfolded tile that fit in a second-level cache with room to spare.
    private static let mostElements = 1 << 19
    /// Enough pieces for a few threads to share one image.
    private static let wantedPieces = 4

    /// The cut of a product `[outputs, terms] [terms, pixels]`.
    init(pixels: Int, terms: Int, outputs: Int) {
        func multiple(of step: Int, atLeast value: Int) -> Int { (value + step - 1) / step * step }
        func parts(_ count: Int, of size: Int) -> Int { (count + size - 1) / size }
        let most = max(64, min(ConvolutionTiling.mostPixels, ConvolutionTiling.mostElements / max(terms, 1)))
        tilePixels = max(1, min(pixels, multiple(of: 16, atLeast: parts(pixels, of: max(1, parts(pixels, of: most))))))
        tileCount = parts(pixels, of: tilePixels)
        let blocks = tileCount == 0 ? 1 : parts(ConvolutionTiling.wantedPieces, of: tileCount)
        blockOutputs = max(1, min(outputs, max(64, multiple(of: 16, atLeast: parts(outputs, of: blocks)))))
        blockCount = parts(outputs, of: blockOutputs)
        self.pixels = pixels
        self.outputs = outputs
    }

    /// The pixels of a tile.
    func tile(_ index: Int) -> Range<Int> { index * tilePixels..<min(pixels, (index + 1) * tilePixels) }

    /// The output channels of a block.
    func block(_ index: Int) -> Range<Int> { index * blockOutputs..<min(outputs, (index + 1) * blockOutputs) }
}
