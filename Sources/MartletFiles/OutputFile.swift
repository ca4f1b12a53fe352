#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that appears whole or not at all.
///
/// The bytes go to a hidden neighbour (`.NAME.RANDOM.partial`), which takes the file's name when all of them have reached
/// the disk. If anything fails, the neighbour is removed and what stood there before remains.
public struct OutputFile: ~Copyable {
    private let path: String
    private let partialPath: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isOpen = true

    /// Writes the file at `path` with what `body` gives to ``write(_:)-(UnsafeRawBufferPointer)``.
    /// - Throws: ``FileError/cannotWrite(path:reason:)``, or whatever `body` throws.
    public static func create<Result>(
        at path: String, _ body: (inout OutputFile) throws -> Result
    ) throws -> Result {
        var file = try OutputFile(path: path)
        let result = try body(&file)
        try file.commit()
        return result
    }

    /// Writes a whole file.
    /// - Throws: ``FileError/cannotWrite(path:reason:)``.
    public static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        let bytes = Array(bytes)
        try create(at: path) { file in try bytes.withUnsafeBytes { try file.write($0) } }
    }

    /// Writes a whole text file in UTF-8.
    /// - Throws: ``FileError/cannotWrite(path:reason:)``.
    public static func write(_ text: String, to path: String) throws { try write(text.utf8, to: path) }

    /// Checks that a file could be written at `path`, before hours of work are spent on what is to go there.
    /// - Throws: ``FileError/cannotWrite(path:reason:)``.
    public static func checkWritable(_ path: String) throws { _ = try OutputFile(path: path) }

    private init(path: String) throws(FileError) {
        var status = stat()
        if stat_(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw .cannotWrite(path: path, reason: "a folder of that name stands there")
        }
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        // Six X before the ending are where mkstemps puts random characters.
        let (random, ending) = (String(repeating: "X", count: 6), ".partial")
        var template = Array("\(path[..<slash]).\(path[slash...]).\(random)\(ending)".utf8CString)
        let descriptor = mkstemps(&template, Int32(ending.utf8.count))
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: lastSystemError()) }
        self.path = path
        self.descriptor = descriptor
        partialPath = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        fchmod(descriptor, 0o666 & ~OutputFile.creationMask)
    }

    deinit {
        if isOpen {
            close(descriptor)
            unlink(partialPath)
        }
    }

    /// Appends bytes.
    /// - Throws: ``FileError/cannotWrite(path:reason:)``, on a full disk among others.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        if buffer.count + bytes.count <= OutputFile.bufferSize {
            buffer.append(contentsOf: bytes)
            return
        }
        try flush()
        try put(bytes)
    }

    private static let bufferSize = 1 << 16

    private mutating func flush() throws(FileError) {
        let pending = buffer
        buffer = []
        do {
            try pending.withUnsafeBytes { try put($0) }
        } catch let error as FileError {
            throw error
        } catch {
            throw .cannotWrite(path: path, reason: "\(error)")
        }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while let base = rest.baseAddress, rest.count > 0 {
            let written = systemWrite(descriptor, base, min(rest.count, 1 << 30))
            if written < 0 {
                if errno == EINTR { continue }
                throw .cannotWrite(path: path, reason: lastSystemError())
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    private mutating func commit() throws(FileError) {
        try flush()
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw .cannotWrite(path: path, reason: lastSystemError())
        }
        guard rename(partialPath, path) == 0 else { throw .cannotWrite(path: path, reason: lastSystemError()) }
        close(descriptor)
        isOpen = false
    }

    /// The process's file creation mask. It can only be read by setting it, so that is done once.
    private static let creationMask: mode_t = {
        let mask = umask(0o022)
        umask(mask)
        return mask
    }()
}

// The type has members of the same names as these calls.
private func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, base, count)
}

private func stat_(_ path: String, _ status: inout stat) -> Int32 { stat(path, &status) }
