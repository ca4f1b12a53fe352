import Foundation

/// A model without the elements of its large initialisers, and where those stand in the file.
///
/// Nearly all of a network's file are weights in little-endian bytes. The parser would copy each of them into a `Data`
/// before they are copied into a tensor; in this way they are copied once, straight from the mapped file.
struct ModelSkeleton {
    /// The serialised model.
    private(set) var model = Data()
    /// The elements left out, by the place of their tensor among the initialisers.
    private(set) var elements: [Int: Range<Int>] = [:]

    // Field numbers, from onnx.proto.
    private static let modelGraph: UInt64 = 7
    private static let graphInitializer: UInt64 = 5
    private static let tensorRawData: UInt64 = 9
    /// Shorter ones may as well go through the parser.
    private static let smallest = 1 << 12

    private let bytes: UnsafeRawBufferPointer
    private var initializers = 0

    /// The skeleton of a serialised model.
    /// - Throws: ``WireFields/NotUnderstood`` where the parser has to say what is wrong, or knows better.
    init(of bytes: UnsafeRawBufferPointer) throws(WireFields.NotUnderstood) {
        self.bytes = bytes
        var fields = WireFields(bytes, in: 0..<bytes.count)
        while let field = try fields.next() {
            if field.number == ModelSkeleton.modelGraph, let content = field.content {
                ModelSkeleton.append(try graph(content), as: field.number, to: &model)
            } else {
                copy(field, to: &model)
            }
        }
    }

    private mutating func graph(_ range: Range<Int>) throws(WireFields.NotUnderstood) -> Data {
        var result = Data()
        var fields = WireFields(bytes, in: range)
        while let field = try fields.next() {
            if field.number == ModelSkeleton.graphInitializer, let content = field.content {
                ModelSkeleton.append(try tensor(content), as: field.number, to: &result)
                initializers += 1
            } else {
                copy(field, to: &result)
            }
        }
        return result
    }

    private mutating func tensor(_ range: Range<Int>) throws(WireFields.NotUnderstood) -> Data {
        var result = Data()
        var fields = WireFields(bytes, in: range)
        while let field = try fields.next() {
            if field.number == ModelSkeleton.tensorRawData, let content = field.content,
                content.count >= ModelSkeleton.smallest
            {
                // A field that stands twice has its last value.
                elements[initializers] = content
            } else {
                if field.number == ModelSkeleton.tensorRawData { elements[initializers] = nil }
                copy(field, to: &result)
            }
        }
        return result
    }

    private func copy(_ field: WireFields.Field, to data: inout Data) {
        data.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[field.whole]))
    }

    /// Appends a field with a length.
    private static func append(_ content: Data, as number: UInt64, to data: inout Data) {
        appendVarint(number << 3 | 2, to: &data)
        appendVarint(UInt64(content.count), to: &data)
        data.append(content)
    }

    private static func appendVarint(_ value: UInt64, to data: inout Data) {
        var rest = value
        while rest >= 0x80 {
            data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        data.append(UInt8(rest))
    }
}
