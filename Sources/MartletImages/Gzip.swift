import CMartletZlib

/// Unpacking of gzip files.
enum Gzip {
    /// Whether the bytes begin as a gzip file does.
    static func isGzip(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// The unpacked bytes, all members of the file one after another; checksums are compared.
    /// - Parameter limit: more bytes than this are refused.
    /// - Throws: ``DataSetError/cannotUnpack(path:reason:)``.
    static func unpacked(
        _ bytes: UnsafeRawBufferPointer, path: String, limit: Int
    ) throws(DataSetError) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window; 16 asks for gzip's header.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .cannotUnpack(path: path, reason: "zlib will not start")
        }
        defer { inflateEnd(&stream) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var position = 0
        var status = Z_OK
        var memberEnded = false
        while true {
            if memberEnded {
                if position == bytes.count { return result }
                guard inflateReset(&stream) == Z_OK else {
                    throw .cannotUnpack(path: path, reason: "zlib will not go on")
                }
                memberEnded = false
            }
            let available = min(bytes.count - position, 1 << 20)
            let written = chunk.withUnsafeMutableBufferPointer { chunk in
                stream.next_in = bytes.baseAddress.map {
                    UnsafeMutablePointer(mutating: ($0 + position).assumingMemoryBound(to: UInt8.self))
                }
                stream.avail_in = UInt32(available)
                stream.next_out = chunk.baseAddress
                stream.avail_out = UInt32(chunk.count)
                status = inflate(&stream, Z_NO_FLUSH)
                return chunk.count - Int(stream.avail_out)
            }
            position += available - Int(stream.avail_in)
            result.append(contentsOf: chunk[..<written])
            if result.count > limit {
                throw .cannotUnpack(path: path, reason: "it holds more than \(limit) bytes")
            }
            switch status {
            case Z_STREAM_END: memberEnded = true
            case Z_OK: break
            case Z_BUF_ERROR: throw .cannotUnpack(path: path, reason: "it ends too early")
            default:
                throw .cannotUnpack(path: path, reason: stream.msg.map { String(cString: $0) } ?? "error \(status)")
            }
        }
    }
}
