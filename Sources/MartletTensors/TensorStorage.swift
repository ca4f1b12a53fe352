#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory aligned for every vector width, shared by the tensors that hold it and freed with the last of them.
final class TensorStorage: @unchecked Sendable {
    static let alignment = 64

    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// Memory of `byteCount` bytes, all zero.
    init(zeroed byteCount: Int) throws(TensorError) {
        var pointer: UnsafeMutableRawPointer?
        // Room for a whole last vector: kernels may read, never write, up to the next multiple of the alignment.
        let padded = (byteCount + TensorStorage.alignment) / TensorStorage.alignment * TensorStorage.alignment
        guard posix_memalign(&pointer, TensorStorage.alignment, padded) == 0, let pointer else {
            throw .outOfMemory(bytes: byteCount)
        }
        memset(pointer, 0, padded)
        self.base = pointer
        self.byteCount = byteCount
    }

    deinit { free(base) }
}
