/// A tensor in memory that somebody else owns, to read from. Valid as long as the owner says.
public struct TensorView {
    /// The type of the elements.
    public let elementType: ElementType
    /// The extents, outermost first.
    public let shape: Shape
    /// The first element.
    public let base: UnsafeRawPointer

    /// The `shape.elementCount` elements at `base`, row-major.
    public init(elementType: ElementType, shape: Shape, base: UnsafeRawPointer) {
        self.elementType = elementType
        self.shape = shape
        self.base = base
    }

    /// The elements, which must be of type `Element` (a programming error otherwise).
    public func elements<Element: TensorElement>(of type: Element.Type = Element.self) -> UnsafeBufferPointer<Element> {
        precondition(Element.elementType == elementType, "the tensor holds \(elementType)")
        return UnsafeBufferPointer(start: base.assumingMemoryBound(to: type), count: shape.elementCount)
    }

    /// The elements' bytes.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: shape.elementCount * elementType.byteCount)
    }
}

/// A tensor in memory that somebody else owns, to write to. Valid as long as the owner says.
public struct MutableTensorView {
    /// The type of the elements.
    public let elementType: ElementType
    /// The extents, outermost first.
    public let shape: Shape
    /// The first element.
    public let base: UnsafeMutableRawPointer

    /// The `shape.elementCount` elements at `base`, row-major.
    public init(elementType: ElementType, shape: Shape, base: UnsafeMutableRawPointer) {
        self.elementType = elementType
        self.shape = shape
        self.base = base
    }

    /// The elements, which must be of type `Element` (a programming error otherwise).
    public func elements<Element: TensorElement>(
        of type: Element.Type = Element.self
    ) -> UnsafeMutableBufferPointer<Element> {
        precondition(Element.elementType == elementType, "the tensor holds \(elementType)")
        return UnsafeMutableBufferPointer(start: base.assumingMemoryBound(to: type), count: shape.elementCount)
    }

    /// The elements' bytes.
    public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: shape.elementCount * elementType.byteCount)
    }
}

extension Tensor {
    /// Calls `body` with a view of this tensor, valid only inside it.
    public func withView<Result>(_ body: (TensorView) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { bytes in
            // The storage always has a base, even where there are no elements.
            guard let base = bytes.baseAddress else { preconditionFailure("tensor storage without memory") }
            return try body(TensorView(elementType: elementType, shape: shape, base: base))
        }
    }

    /// Calls `body` with a view to write to, valid only inside it.
    public mutating func withMutableView<Result>(_ body: (MutableTensorView) throws -> Result) throws -> Result {
        let (elementType, shape) = (elementType, shape)
        return try withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("tensor storage without memory") }
            return try body(MutableTensorView(elementType: elementType, shape: shape, base: base))
        }
    }
}
