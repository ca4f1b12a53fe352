/// The fields of a message in the wire format of Protocol Buffers, one after another, without looking into them.
///
/// Source: https://protobuf.dev/programming-guides/encoding.
struct WireFields {
    /// A field as it stands in the file.
    struct Field {
        let number: UInt64
        /// All of it, from its tag on.
        let whole: Range<Int>
        /// What a field with a length holds; `nil` for numbers.
        let content: Range<Int>?
    }

    /// This is no message, or it needs the full parser.
    struct NotUnderstood: Error {}

    private let bytes: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int

    /// The fields of the message in a part of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field, `nil` behind the last.
    mutating func next() throws(NotUnderstood) -> Field? {
        if position == end { return nil }
        let start = position
        let tag = try varint()
        var content: Range<Int>?
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: try skip(8)
        case 2:
            let length = try varint()
            guard length <= UInt64(end - position) else { throw NotUnderstood() }
            content = position..<position + Int(length)
            try skip(Int(length))
        case 5: try skip(4)
        // Groups, long out of use.
        default: throw NotUnderstood()
        }
        return Field(number: tag >> 3, whole: start..<position, content: content)
    }

    private mutating func skip(_ count: Int) throws(NotUnderstood) {
        guard count <= end - position else { throw NotUnderstood() }
        position += count
    }

    private mutating func varint() throws(NotUnderstood) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard position < end else { throw NotUnderstood() }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw NotUnderstood()
    }
}
