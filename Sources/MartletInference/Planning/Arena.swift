import MartletTensors

/// The memory of a plan, aligned for every vector width.
package struct Arena {
    /// Every offset handed out is a multiple of this.
    package static let alignment = AlignedMemory.alignment

    private let memory: AlignedMemory

    /// Memory of `byteCount` bytes.
    package init(byteCount: Int) throws(TensorError) { memory = try AlignedMemory(zeroed: byteCount) }

    package var base: UnsafeMutableRawPointer { memory.base }
    package var byteCount: Int { memory.byteCount }

    /// The next multiple of the alignment.
    package static func padded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }
}
