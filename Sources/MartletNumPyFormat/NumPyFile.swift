import Foundation
import MartletFiles
import MartletTensors

/// Arrays in NumPy's `.npy` files (format versions 1 to 3, C order).
public enum NumPyFile {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    private static let typeNames: [(String, ElementType)] = [
        ("<f4", .float32), ("<f8", .float64), ("<f2", .float16), ("<i8", .int64), ("<i4", .int32), ("<i2", .int16),
        ("|i1", .int8), ("<u8", .uint64), ("<u4", .uint32), ("<u2", .uint16), ("|u1", .uint8), ("|b1", .bool),
    ]

    /// Reads the array in the file at `path`.
    /// - Throws: ``NumPyError``, ``FileError``.
    public static func read(path: String) throws -> Tensor {
        try MappedFile(path: path).withUnsafeBytes { try read(bytes: $0, file: path) }
    }

    /// Reads the array in `bytes`; `file` is what to call it in messages.
    /// - Throws: ``NumPyError``.
    public static func read(bytes: UnsafeRawBufferPointer, file: String) throws -> Tensor {
        func malformed(_ reason: String) -> NumPyError { .malformed(file: file, reason: reason) }
        guard bytes.count >= 10, bytes.prefix(6).elementsEqual(magic) else { throw malformed("it has no NumPy header") }
        guard (1...3).contains(bytes[6]) else {
            throw NumPyError.unsupported(file: file, reason: "format version \(bytes[6])")
        }
        let lengthBytes = bytes[6] == 1 ? 2 : 4
        let start = 8 + lengthBytes
        guard bytes.count >= start else { throw malformed("it is cut short") }
        let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= bytes.count - start else { throw malformed("it is cut short") }
        let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
        guard let typeName = quoted("descr", in: header), let order = word("fortran_order", in: header),
            let extents = tuple("shape", in: header)
        else { throw malformed("its header is '\(header.prefix(80))'") }
        guard let type = typeNames.first(where: { $0.0 == typeName })?.1 else {
            throw NumPyError.unsupported(file: file, reason: "elements of type '\(typeName)'")
        }
        if order != "False" { throw NumPyError.unsupported(file: file, reason: "the array is in Fortran order") }
        let data = UnsafeRawBufferPointer(rebasing: bytes[(start + length)...])
        do {
            let shape = try Shape(extents)
            guard data.count == shape.elementCount * type.byteCount else {
                throw malformed("\(data.count) bytes do not hold \(shape) of \(type)")
            }
            // A byte from a file need not be 0 or 1, and a boolean must be.
            if type == .bool { return try Tensor(data.map { $0 != 0 }, shape: shape) }
            return try Tensor(elementType: type, shape: shape, bytes: data)
        } catch let error as TensorError {
            throw malformed(error.description)
        }
    }

    /// Writes an array to the file at `path`, which appears whole or not at all.
    /// - Throws: ``NumPyError/unsupported(file:reason:)`` for more axes than the header has room for, ``FileError``.
    public static func write(_ tensor: Tensor, to path: String) throws {
        let type = typeNames.first { $0.1 == tensor.elementType }?.0 ?? ""
        var shape = tensor.shape.extents.map(String.init).joined(separator: ", ")
        if tensor.shape.rank == 1 { shape += "," }
        var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }"
        // The numbers begin at a multiple of 64 bytes, as NumPy has it.
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        guard header.utf8.count <= Int(UInt16.max) else {
            throw NumPyError.unsupported(file: path, reason: "an array of \(tensor.shape.rank) axes")
        }
        var prefix = magic + [1, 0]
        prefix += [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
        try OutputFile.create(at: path) { file in
            try prefix.withUnsafeBytes { try file.write($0) }
            try tensor.withUnsafeBytes { try file.write($0) }
        }
    }

    // The header is a Python dictionary; these find the value of a key in what NumPy writes.

    private static func value(_ key: String, in header: String) -> Substring? {
        guard let range = header.range(of: "'\(key)':") else { return nil }
        return header[range.upperBound...].drop { $0 == " " }
    }

    private static func quoted(_ key: String, in header: String) -> String? {
        guard let rest = value(key, in: header), rest.first == "'" else { return nil }
        return rest.dropFirst().firstIndex(of: "'").map { String(rest[rest.index(after: rest.startIndex)..<$0]) }
    }

    private static func word(_ key: String, in header: String) -> String? {
        value(key, in: header).map { String($0.prefix { $0.isLetter }) }
    }

    private static func tuple(_ key: String, in header: String) -> [Int]? {
        guard let rest = value(key, in: header), rest.first == "(", let end = rest.firstIndex(of: ")") else {
            return nil
        }
        let parts = rest[rest.index(after: rest.startIndex)..<end].split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let numbers = parts.filter { !$0.isEmpty }.map { Int($0) }
        return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
    }
}
