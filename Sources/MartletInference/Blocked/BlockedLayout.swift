import MartletTensors

/// How an image value `[N, C, H, W]` lies in memory for the vector kernels: `[N][blocks][rows][columns][lanes]`, channels in
/// blocks of a vector's width, a border of zeros around each plane, so that a window may hang over without a test.
struct BlockedLayout: Hashable {
    /// Zeros around a plane.
    struct Border: Hashable {
        var top = 0
        var left = 0
        var bottom = 0
        var right = 0

        /// The border that serves both.
        func union(_ other: Border) -> Border {
            Border(
                top: max(top, other.top), left: max(left, other.left), bottom: max(bottom, other.bottom),
                right: max(right, other.right))
        }

        var isEmpty: Bool { self == Border() }
    }

    var images: Int
    var channels: Int
    var height: Int
    var width: Int
    /// Channels that lie side by side.
    var lanes: Int
    /// Bytes of an element: 4 of floats, 1 of bytes.
    var elementBytes: Int
    var border: Border
    /// Elements from one image to the next: more than its own if the value is a part of a larger one.
    var imageStride: Int
    /// How the pixels of the value lie in this layout, if not as they are.
    var fold: StrideFold?

    /// A value of these extents on its own.
    /// - Throws: `TensorError` if it is too large.
    init(_ extents: [Int], lanes: Int, border: Border, elementBytes: Int = MemoryLayout<Float>.stride) throws {
        images = extents[0]
        channels = extents[1]
        height = extents[2]
        width = extents[3]
        self.lanes = lanes
        self.elementBytes = elementBytes
        self.border = border
        imageStride = 0
        imageStride = try CheckedArithmetic.product([
            blocks, height + border.top + border.bottom, width + border.left + border.right, lanes,
        ])
        _ = try CheckedArithmetic.sum([CheckedArithmetic.product([images, imageStride, elementBytes]), 3])
    }

    /// Blocks of channels; the last may have lanes to spare.
    var blocks: Int { (channels + lanes - 1) / lanes }
    /// Elements from one row to the next.
    var rowStride: Int { (width + border.left + border.right) * lanes }
    /// Elements from one block to the next.
    var blockStride: Int { (height + border.top + border.bottom) * rowStride }
    /// Elements from the beginning of a plane to its first pixel.
    var origin: Int { border.top * rowStride + border.left * lanes }
    /// The bytes of a value on its own. Runs of bytes of few channels are read in fours, up to three past the last.
    var byteCount: Int { images * imageStride * elementBytes + (elementBytes == 1 && lanes < 4 ? 3 : 0) }
}
