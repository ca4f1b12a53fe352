import MartletTensors

/// The memory of a plan, aligned for every vector width.
struct Arena {
    /// Every offset handed out is a multiple of this.
    static let alignment = AlignedMemory.alignment

    private let memory: AlignedMemory

    /// Memory of `byteCount` bytes.
    init(byteCount: Int) throws(TensorError) { memory = try AlignedMemory(zeroed: byteCount) }

    var base: UnsafeMutableRawPointer { memory.base }
    var byteCount: Int { memory.byteCount }

    /// The next multiple of the alignment.
    static func padded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }
}
