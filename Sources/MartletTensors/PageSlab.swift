import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A run of large pages that several pieces of memory are cut from, given back with the last of them.
///
/// A network's weights are hundreds of pieces of some kilobytes to some megabytes. Each by itself would lie on small pages:
/// a fault in the kernel for every 4 KiB at the start, a look-up for every 4 KiB in each run.
final class PageSlab: @unchecked Sendable {
    /// The size that systems with large pages give them.
    static let largePage = 2 << 20
    /// Pieces below are left to the allocator, which makes better use of small ones.
    static let smallestPiece = 32 << 10
    /// Pieces from here on have a slab of their own.
    static let largestSharedPiece = 2 * largePage
    /// Room for several shared pieces. Pages that are not touched take no memory.
    private static let sharedByteCount = 16 << 20

    /// The first byte, at the beginning of a large page.
    let base: UnsafeMutableRawPointer
    private let mapping: (base: UnsafeMutableRawPointer, byteCount: Int)

    private struct Current {
        var slab: PageSlab
        var used: Int
    }
    /// The slab that the next piece is cut from, if it has room.
    private static let current = Mutex<Current?>(nil)

    /// A slab of at least `byteCount` zero bytes, or `nil` if the system has none.
    private init?(byteCount: Int) {
        let (padded, overflows) = byteCount.addingReportingOverflow(PageSlab.largePage)
        if overflows { return nil }
        let address = mmap(nil, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | PageSlab.anonymous, -1, 0)
        guard let address, address != UnsafeMutableRawPointer(bitPattern: -1) else { return nil }
        mapping = (address, padded)
        base = address.alignedUp(toMultipleOf: PageSlab.largePage)
        #if os(Linux)
            // A wish: systems without large pages refuse, and nothing else changes.
            madvise(base, padded - (base - address), MADV_HUGEPAGE)
        #endif
    }

    deinit { munmap(mapping.base, mapping.byteCount) }

    /// A piece of `byteCount` zero bytes at a multiple of `alignment`, with the slab to hold as long as it is used.
    static func piece(byteCount: Int, alignment: Int) -> (base: UnsafeMutableRawPointer, slab: PageSlab)? {
        if byteCount >= largestSharedPiece { return PageSlab(byteCount: byteCount).map { ($0.base, $0) } }
        return current.withLock { current in
            if let (slab, used) = current.map({ ($0.slab, $0.used) }) {
                let offset = (used + alignment - 1) / alignment * alignment
                if byteCount <= sharedByteCount - offset {
                    current?.used = offset + byteCount
                    return (slab.base + offset, slab)
                }
            }
            guard let slab = PageSlab(byteCount: sharedByteCount) else { return nil }
            current = Current(slab: slab, used: byteCount)
            return (slab.base, slab)
        }
    }

    /// Gives back the memory of a piece that is used no more, except where its first and last page may hold others too.
    static func release(_ base: UnsafeMutableRawPointer, byteCount: Int) {
        #if os(Linux)
            let page = 4096
            let first = base.alignedUp(toMultipleOf: page)
            let count = (base + byteCount - first) / page * page
            if count > 0 { madvise(first, count, MADV_DONTNEED) }
        #endif
    }

    #if canImport(Darwin)
        private static let anonymous = MAP_ANON
    #else
        private static let anonymous = MAP_ANONYMOUS
    #endif
}
