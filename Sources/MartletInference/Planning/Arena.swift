import MartletTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The memory of a plan, aligned for every vector width.
final class Arena {
    /// Every offset handed out is a multiple of this.
    static let alignment = 64

    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// Memory of `byteCount` bytes, with unspecified contents.
    init(byteCount: Int) throws(TensorError) {
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, Arena.alignment, max(byteCount, Arena.alignment)) == 0, let pointer else {
            throw .outOfMemory(bytes: byteCount)
        }
        self.base = pointer
        self.byteCount = byteCount
    }

    deinit { free(base) }

    /// The next multiple of the alignment.
    static func padded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }
}
