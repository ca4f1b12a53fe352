/// The 64-bit FNV-1a hash (Fowler, Noll, Vo), which tells whether two files are the same ones. It does not stand up to
/// somebody who wants two to look alike.
public struct FNV1a: Sendable {
    /// The hash of what was added so far.
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The hash of nothing.
    public init() {}

    /// Adds bytes, preceded by how many there are, so that "ab" and "c" differ from "a" and "bc".
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(bytes.count)
        addBare(bytes)
    }

    /// Adds bytes as they are.
    public mutating func addBare(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        var value = value
        for index in 0..<bytes.count {
            value = (value ^ UInt64(base.load(fromByteOffset: index, as: UInt8.self))) &* 0x0000_0100_0000_01B3
        }
        self.value = value
    }

    /// Adds text in UTF-8, preceded by its length.
    public mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    /// Adds a number as eight bytes.
    public mutating func add(_ number: Int) {
        withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) { addBare($0) }
    }

    /// Sixteen hexadecimal digits.
    public var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
