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
    /// What the system was asked for, `nil` if the allocator was.
    private let mapping: (base: UnsafeMutableRawPointer, byteCount: Int)?

    private static let largePage = 2 << 20

    /// Memory of `byteCount` bytes, all zero.
    /// - Throws: ``TensorError/outOfMemory(bytes:)``.
    public init(zeroed byteCount: Int) throws(TensorError) {
        self.byteCount = byteCount
        // Room for a whole last vector.
        let (padded, overflows) = byteCount.addingReportingOverflow(AlignedMemory.alignment + AlignedMemory.largePage)
        if overflows { throw .outOfMemory(bytes: byteCount) }
        if byteCount >= 2 * AlignedMemory.largePage {
            // The system gives zeros, page by page as they are touched.
            let address = mmap(nil, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | AlignedMemory.anonymous, -1, 0)
            guard let address, address != UnsafeMutableRawPointer(bitPattern: -1) else {
                throw .outOfMemory(bytes: byteCount)
            }
            mapping = (address, padded)
            base = address.alignedUp(toMultipleOf: AlignedMemory.largePage)
            #if os(Linux)
                // A wish: systems without large pages refuse, and nothing else changes.
                madvise(base, padded - (base - address), MADV_HUGEPAGE)
            #endif
            return
        }
        mapping = nil
        let count = padded - AlignedMemory.largePage
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, AlignedMemory.alignment, count) == 0, let pointer else {
            throw .outOfMemory(bytes: byteCount)
        }
        memset(pointer, 0, count)
        base = pointer
    }

    deinit {
        if let mapping {
            munmap(mapping.base, mapping.byteCount)
        } else {
            free(base)
        }
    }

    #if canImport(Darwin)
        private static let anonymous = MAP_ANON
    #else
        private static let anonymous = MAP_ANONYMOUS
    #endif
}
