#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory aligned for every vector width, freed with the last who holds it.
///
/// Large pieces ask for large pages where the system has them: weights and intermediate values are read from one end to the
/// other, and each small page is another look-up and another start for the processor's prefetching.
public final class AlignedMemory: @unchecked Sendable {
    /// What addresses are a multiple of.
    public static let alignment = 64

    /// The first byte.
    public let base: UnsafeMutableRawPointer
    /// The bytes asked for. Kernels may read, never write, up to the next multiple of the alignment.
    public let byteCount: Int
    /// The large pages it lies on, `nil` if the allocator gave it.
    private let slab: PageSlab?

    /// Memory of `byteCount` bytes, all zero.
    /// - Throws: ``TensorError/outOfMemory(bytes:)``.
    public init(zeroed byteCount: Int) throws(TensorError) {
        self.byteCount = byteCount
        // Room for a whole last vector.
        let (padded, overflows) = byteCount.addingReportingOverflow(AlignedMemory.alignment)
        if overflows { throw .outOfMemory(bytes: byteCount) }
        if byteCount >= PageSlab.smallestPiece {
            // The system gives zeros, page by page as they are touched.
            guard let piece = PageSlab.piece(byteCount: padded, alignment: AlignedMemory.alignment) else {
                throw .outOfMemory(bytes: byteCount)
            }
            (base, slab) = piece
            return
        }
        slab = nil
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, AlignedMemory.alignment, padded) == 0, let pointer else {
            throw .outOfMemory(bytes: byteCount)
        }
        memset(pointer, 0, padded)
        base = pointer
    }

    deinit {
        if slab != nil {
            PageSlab.release(base, byteCount: byteCount)
        } else {
            free(base)
        }
    }
}
