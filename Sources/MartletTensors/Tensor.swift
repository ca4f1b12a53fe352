/// A dense, row-major array of numbers. A value: copies share memory until one of them is written to.
///
/// The memory is aligned to 64 bytes.
public struct Tensor: Sendable {
    /// The type of the elements.
    public let elementType: ElementType
    /// The extents, outermost first.
    public let shape: Shape
    private var storage: AlignedMemory

    /// A tensor of zeros (`false` for booleans).
    /// - Throws: ``TensorError/outOfMemory(bytes:)``.
    public init(zeros shape: Shape, elementType: ElementType) throws(TensorError) {
        self.elementType = elementType
        self.shape = shape
        self.storage = try AlignedMemory(zeroed: shape.elementCount * elementType.byteCount)
    }

    /// A tensor holding `elements` in row-major order.
    /// - Throws: ``TensorError/elementCountMismatch(shape:count:)``, ``TensorError/outOfMemory(bytes:)``.
    public init<Element: TensorElement>(_ elements: [Element], shape: Shape) throws(TensorError) {
        guard elements.count == shape.elementCount else {
            throw .elementCountMismatch(shape: shape.extents, count: elements.count)
        }
        try self.init(zeros: shape, elementType: Element.elementType)
        elements.withUnsafeBytes {
            storage.base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(storage.base), byteCount: $0.count)
        }
    }

    /// A tensor whose elements are the little-endian numbers in `bytes`.
    /// - Throws: ``TensorError/elementCountMismatch(shape:count:)``, ``TensorError/outOfMemory(bytes:)``.
    public init(elementType: ElementType, shape: Shape, bytes: UnsafeRawBufferPointer) throws(TensorError) {
        guard bytes.count == shape.elementCount * elementType.byteCount else {
            throw .elementCountMismatch(shape: shape.extents, count: bytes.count / elementType.byteCount)
        }
        try self.init(zeros: shape, elementType: elementType)
        if let base = bytes.baseAddress { storage.base.copyMemory(from: base, byteCount: bytes.count) }
    }

    private init(elementType: ElementType, shape: Shape, storage: AlignedMemory) {
        self.elementType = elementType
        self.shape = shape
        self.storage = storage
    }

    /// The number of bytes the elements take.
    public var byteCount: Int { shape.elementCount * elementType.byteCount }

    /// Calls `body` with the bytes of all elements.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(start: storage.base, count: byteCount))
    }

    /// Calls `body` with the bytes of all elements, to write to.
    public mutating func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) throws -> Result {
        try makeUnique()
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableRawBufferPointer(start: storage.base, count: byteCount))
    }

    /// Calls `body` with the elements, which must be of type `Element` (a programming error otherwise).
    public func withElements<Element: TensorElement, Result>(
        of type: Element.Type = Element.self, _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result {
        precondition(Element.elementType == elementType, "the tensor holds \(elementType)")
        return try withUnsafeBytes { try body($0.bindMemory(to: Element.self)) }
    }

    /// Calls `body` with the elements to write to; they must be of type `Element` (a programming error otherwise).
    public mutating func withMutableElements<Element: TensorElement, Result>(
        of type: Element.Type = Element.self, _ body: (UnsafeMutableBufferPointer<Element>) throws -> Result
    ) throws -> Result {
        precondition(Element.elementType == elementType, "the tensor holds \(elementType)")
        return try withUnsafeMutableBytes { try body($0.bindMemory(to: Element.self)) }
    }

    /// The elements as an array.
    /// - Throws: ``TensorError/elementTypeMismatch(expected:found:)`` if they are of another type.
    public func elements<Element: TensorElement>(_ type: Element.Type) throws(TensorError) -> [Element] {
        guard Element.elementType == elementType else {
            throw .elementTypeMismatch(expected: Element.elementType, found: elementType)
        }
        return withElements(of: type) { Array($0) }
    }

    /// The same elements under another shape of as many.
    /// - Throws: ``TensorError/elementCountMismatch(shape:count:)``.
    public func reshaped(to shape: Shape) throws(TensorError) -> Tensor {
        guard shape.elementCount == self.shape.elementCount else {
            throw .elementCountMismatch(shape: shape.extents, count: self.shape.elementCount)
        }
        return Tensor(elementType: elementType, shape: shape, storage: storage)
    }

    private mutating func makeUnique() throws(TensorError) {
        if isKnownUniquelyReferenced(&storage) { return }
        let copy = try AlignedMemory(zeroed: storage.byteCount)
        copy.base.copyMemory(from: storage.base, byteCount: storage.byteCount)
        storage = copy
    }
}

extension Tensor: Equatable {
    /// Whether type, shape and every bit of the elements are the same.
    public static func == (left: Tensor, right: Tensor) -> Bool {
        guard left.elementType == right.elementType, left.shape == right.shape else { return false }
        return left.withUnsafeBytes { a in right.withUnsafeBytes { b in a.elementsEqual(b) } }
    }
}
