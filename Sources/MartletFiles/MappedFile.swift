#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The bytes of a file, mapped into memory and read as they are touched.
///
/// As with every mapping, the file must not be cut short by others while it is in use; Martlet's own outputs never are,
/// since they appear by rename.
public final class MappedFile: @unchecked Sendable {
    /// The path it was opened by.
    public let path: String
    private let bytes: UnsafeRawBufferPointer

    /// Maps the file at `path`.
    /// - Throws: ``FileError/cannotRead(path:reason:)`` if it is absent, unreadable or not a regular file.
    public init(path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotRead(path: path, reason: lastSystemError()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotRead(path: path, reason: lastSystemError()) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw .cannotRead(path: path, reason: isFolder ? "it is a folder" : "it is not a regular file")
        }
        self.path = path
        let count = Int(status.st_size)
        if count == 0 {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw .cannotRead(path: path, reason: lastSystemError())
        }
        bytes = UnsafeRawBufferPointer(start: base, count: count)
    }

    /// The size of the file.
    public var byteCount: Int { bytes.count }

    /// Calls `body` with the bytes, which are valid only inside it.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    /// Lets the system forget a part of the bytes, whose memory counts as this process's; read again, they come back.
    public func letGo(of part: UnsafeRawBufferPointer) {
        guard let base = part.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = base.alignedUp(toMultipleOf: page)
        let count = (base + part.count - first) / page * page
        if count > 0 { madvise(UnsafeMutableRawPointer(mutating: first), count, MADV_DONTNEED) }
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }
}
