import MartletFiles
import MartletTensors

/// A safetensors file, its tensors read as they are asked for.
public struct SafetensorsReader: Sendable {
    private let file: MappedFile
    private let entries: [String: (elementType: ElementType, shape: Shape, range: Range<Int>)]
    /// The free text of the file.
    public let metadata: [String: String]

    /// Opens the file at `path` and checks its header.
    /// - Throws: ``SafetensorsError``, ``FileError``.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        let header = try file.withUnsafeBytes { try SafetensorsHeader($0, file: path) }
        self.file = file
        metadata = header.metadata
        entries = header.entries.mapValues { entry in
            let start = header.dataStart
            return (
                entry.elementType, entry.shape, entry.range.lowerBound + start..<entry.range.upperBound + start
            )
        }
    }

    /// The names of the tensors, sorted.
    public var names: [String] { entries.keys.sorted() }

    /// The shape of a tensor, `nil` if there is none of that name.
    public func shape(of name: String) -> Shape? { entries[name]?.shape }

    /// Reads a tensor.
    /// - Throws: ``SafetensorsError/missing(file:tensor:)``, ``TensorError/outOfMemory(bytes:)``.
    public func tensor(_ name: String) throws -> Tensor {
        guard let entry = entries[name] else { throw SafetensorsError.missing(file: file.path, tensor: name) }
        return try file.withUnsafeBytes { bytes in
            let bytes = UnsafeRawBufferPointer(rebasing: bytes[entry.range])
            // A byte from a file need not be 0 or 1, and a boolean must be.
            if entry.elementType == .bool { return try Tensor(bytes.map { $0 != 0 }, shape: entry.shape) }
            return try Tensor(elementType: entry.elementType, shape: entry.shape, bytes: bytes)
        }
    }
}
