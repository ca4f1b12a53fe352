import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

/// Evaluates an operation into outputs of these types and shapes, and checks that nothing around them was written.
/// `nil` if the operation is not of the kind that is evaluated.
func evaluate(
    _ operation: Operator, _ inputs: [Tensor?], _ outputs: [(ElementType, [Int])]
) throws -> [Tensor]? {
    let margin = 64
    let shapes = try outputs.map { try Shape($0.1) }
    let memory = zip(outputs, shapes).map { output, shape in
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: shape.elementCount * output.0.byteCount + 2 * margin, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0xA5)
        return bytes
    }
    defer { memory.forEach { $0.deallocate() } }
    let targets = zip(memory, zip(outputs, shapes)).map { bytes, output in
        MutableTensorView(
            elementType: output.0.0, shape: output.1, base: bytes.baseAddress.unsafelyUnwrapped + margin)
    }
    defer {
        for (bytes, target) in zip(memory, targets) {
            let end = margin + target.bytes.count
            #expect(bytes[..<margin].allSatisfy { $0 == 0xA5 } && bytes[end...].allSatisfy { $0 == 0xA5 })
        }
    }
    let done = try withExtendedLifetime(inputs) {
        try operation.evaluate(inputs: inputs.map { $0.map { $0.withView { $0 } } }, outputs: targets)
    }
    if !done { return nil }
    return try targets.map {
        try Tensor(elementType: $0.elementType, shape: $0.shape, bytes: UnsafeRawBufferPointer($0.bytes))
    }
}

/// The elements of the one output of an operation.
func result<Element: TensorElement>(
    _ operation: Operator, _ inputs: [Tensor?], _ extents: [Int], as type: Element.Type
) throws -> [Element] {
    let outputs = try #require(try evaluate(operation, inputs, [(Element.elementType, extents)]))
    return try outputs[0].elements(type)
}

/// Every position of an array with these extents, in order.
func positions(_ extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { heads, extent in heads.flatMap { head in (0..<extent).map { head + [$0] } } }
}

/// The offset of a position in an array with these extents.
func offset(_ position: [Int], _ extents: [Int]) -> Int {
    zip(position, extents).reduce(0) { $0 * $1.1 + $1.0 }
}

/// The offset of what broadcasting an operand to `position` reads.
func broadcastOffset(_ position: [Int], _ extents: [Int]) -> Int {
    let own = position.suffix(extents.count)
    return offset(zip(own, extents).map { $1 == 1 ? 0 : $0 }, extents)
}

/// A tensor whose elements are their own offsets, so that a moved element says where it came from.
func numbered(_ extents: [Int]) throws -> Tensor {
    try Tensor((0..<extents.reduce(1, *)).map { Int32($0) }, shape: Shape(extents))
}

func vector(_ values: [Int]) throws -> Tensor { try Tensor(values.map { Int64($0) }, shape: Shape([values.count])) }

extension SeededGenerator {
    mutating func extents(_ ranks: ClosedRange<Int>, upTo largest: Int = 4) -> [Int] {
        (0..<integer(ranks)).map { _ in integer(1...largest) }
    }

    /// Shapes that broadcast to each other, and the common one.
    mutating func broadcastable(_ count: Int) -> (shapes: [[Int]], common: [Int]) {
        let common = extents(0...4)
        var shapes = (0..<count).map { _ in
            let rank = integer(0...common.count)
            return common.suffix(rank).map { integer(0...2) == 0 ? 1 : $0 }
        }
        shapes[integer(0...(count - 1))] = common
        return (shapes, common)
    }
}
