extension DataSet {
    /// A digest for provenance: `fnv1a64:` and 16 hexadecimal digits.
    ///
    /// It covers, in order, the name, the label and the stored bytes of every image (the file as it stands on disk, the
    /// record's pixels in a binary file), each preceded by its length. Where the data set lies does not matter. It finds
    /// mistakes; it is not safe against forgery.
    /// - Throws: `FileError`.
    public func digest() throws -> String {
        var digest = FNV1a()
        for index in 0..<count {
            digest.add(name(at: index))
            digest.add(UInt64(bitPattern: Int64(label(at: index) ?? -1)))
            try withStoredBytes(at: index) { digest.add($0) }
        }
        let digits = String(digest.value, radix: 16)
        return "fnv1a64:" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo).
struct FNV1a {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Adds the bytes, preceded by how many there are.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(UInt64(bytes.count))
        addBare(bytes)
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { addBare($0) }
    }

    mutating func addBare(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        var value = value
        for i in 0..<bytes.count {
            value = (value ^ UInt64(base.load(fromByteOffset: i, as: UInt8.self))) &* 0x0000_0100_0000_01b3
        }
        self.value = value
    }
}
