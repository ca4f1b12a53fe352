/// A layer's input as it lies in blocks of channels: `[images][blocks][rows][columns][lanes]`, with gaps between all of them
/// but the last two. Valid as long as its owner says.
package struct BlockedInput {
    private let base: UnsafePointer<Float>
    private let imageStride: Int
    private let blockStride: Int
    /// Floats from one row to the next; pixels of a row have no gaps.
    package let rowStride: Int
    /// Channels that lie side by side; those past the last hold anything.
    package let lanes: Int
    package let images: Int
    package let channels: Int
    package let height: Int
    package let width: Int

    init(_ value: BlockedValue) {
        let layout = value.layout
        base = UnsafePointer(value.plane(image: 0, block: 0))
        (imageStride, blockStride, rowStride) = (layout.imageStride, layout.blockStride, layout.rowStride)
        (lanes, images, channels) = (layout.lanes, layout.images, layout.channels)
        (height, width) = (layout.height, layout.width)
    }

    /// The first pixel of a block of channels.
    package func plane(image: Int, block: Int) -> UnsafePointer<Float> {
        base + image * imageStride + block * blockStride
    }
}
