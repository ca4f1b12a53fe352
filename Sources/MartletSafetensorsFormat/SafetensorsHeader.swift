import Foundation
import MartletTensors

/// What stands before the numbers of a safetensors file: eight bytes of length, little-endian, then a JSON object that
/// gives each tensor's type, shape and bytes, and free text under `__metadata__`.
struct SafetensorsHeader {
    struct Entry: Equatable {
        var elementType: ElementType
        var shape: Shape
        /// Bytes from the end of the header.
        var range: Range<Int>
    }

    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    /// Where the numbers begin in the file.
    var dataStart = 0

    /// No header of a sane file is longer.
    static let longest = 100 << 20

    static let typeNames: [(String, ElementType)] = [
        ("F64", .float64), ("F32", .float32), ("F16", .float16), ("I64", .int64), ("I32", .int32), ("I16", .int16),
        ("I8", .int8), ("U64", .uint64), ("U32", .uint32), ("U16", .uint16), ("U8", .uint8), ("BOOL", .bool),
    ]

    /// Parses and checks a header: every tensor's bytes lie in the file, side by side, and fill it.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        guard bytes.count >= 8 else { throw SafetensorsError.headerLength(file: file) }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(SafetensorsHeader.longest), Int(length) <= bytes.count - 8 else {
            throw SafetensorsError.headerLength(file: file)
        }
        dataStart = 8 + Int(length)
        let text = Data(bytes[8..<dataStart])
        guard let object = try? JSONSerialization.jsonObject(with: text) as? [String: Any] else {
            throw SafetensorsError.header(file: file, reason: "it is not a JSON object")
        }
        for (name, value) in object {
            if name == "__metadata__" {
                guard let metadata = value as? [String: String] else {
                    throw SafetensorsError.header(file: file, reason: "__metadata__ does not map text to text")
                }
                self.metadata = metadata
            } else {
                entries[name] = try SafetensorsHeader.entry(value, name: name, file: file)
            }
        }
        try checkLayout(dataCount: bytes.count - dataStart, file: file)
    }

    private static func entry(_ value: Any, name: String, file: String) throws -> Entry {
        guard let object = value as? [String: Any], let type = object["dtype"] as? String,
            let extents = object["shape"] as? [Any], let offsets = object["data_offsets"] as? [Any], offsets.count == 2
        else {
            throw SafetensorsError.header(
                file: file, reason: "the entry of '\(name)' lacks dtype, shape or data_offsets")
        }
        func integer(_ value: Any) throws -> Int {
            guard let number = value as? NSNumber, let integer = Int(exactly: number.doubleValue), integer >= 0 else {
                throw SafetensorsError.header(file: file, reason: "the entry of '\(name)' has a size that is no number")
            }
            return integer
        }
        guard let elementType = typeNames.first(where: { $0.0 == type })?.1 else {
            throw SafetensorsError.elementType(file: file, tensor: name, type: type)
        }
        let (start, end) = (try integer(offsets[0]), try integer(offsets[1]))
        let shape: Shape
        do {
            shape = try Shape(try extents.map(integer))
        } catch let error as TensorError {
            throw SafetensorsError.tensor(file: file, tensor: name, reason: error.description)
        }
        guard start <= end, end - start == shape.elementCount * elementType.byteCount else {
            throw SafetensorsError.tensor(
                file: file, tensor: name, reason: "\(end - start) bytes do not hold \(shape) of \(elementType)")
        }
        return Entry(elementType: elementType, shape: shape, range: start..<end)
    }

    private func checkLayout(dataCount: Int, file: String) throws {
        var end = 0
        for (name, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }) {
            guard entry.range.lowerBound == end else {
                throw SafetensorsError.layout(
                    file: file, reason: "tensor '\(name)' begins at byte \(entry.range.lowerBound), not at \(end)")
            }
            end = entry.range.upperBound
        }
        guard end == dataCount else {
            throw SafetensorsError.layout(
                file: file, reason: "the tensors take \(end) bytes, the file has \(dataCount)")
        }
    }
}
