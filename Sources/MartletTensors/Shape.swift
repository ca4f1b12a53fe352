/// The extents of a tensor, outermost first; the empty shape is a scalar.
///
/// A shape is valid by construction: no extent is negative and the number of elements fits
/// ``maximumElementCount``.
public struct Shape: Hashable, Sendable {
    /// No tensor holds more elements than this, so that a corrupt file is refused before memory is asked for.
    public static let maximumElementCount = 1 << 33

    /// The extents, outermost first.
    public let extents: [Int]
    /// The number of elements: the product of the extents, 1 for a scalar.
    public let elementCount: Int

    /// The shape with these extents.
    /// - Throws: ``TensorError`` if an extent is negative or the product is too large.
    public init(_ extents: [Int]) throws(TensorError) {
        if extents.contains(where: { $0 < 0 }) { throw .negativeExtent(extents) }
        // A zero anywhere makes the product zero, but the others must still be sane.
        let count = try CheckedArithmetic.product(extents.filter { $0 != 0 })
        if count > Shape.maximumElementCount { throw .tooManyElements(extents) }
        self.extents = extents
        self.elementCount = extents.contains(0) ? 0 : count
    }

    /// The number of axes.
    public var rank: Int { extents.count }

    /// The extent of an axis.
    public subscript(axis: Int) -> Int { extents[axis] }

    /// The distance in elements between neighbours along each axis, row-major.
    public var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * Swift.max(extents[axis + 1], 1)
        }
        return strides
    }
}

extension Shape: ExpressibleByArrayLiteral {
    /// The shape written out in source code. Extents from a file go through the throwing initialiser instead.
    public init(arrayLiteral elements: Int...) {
        do {
            try self.init(elements)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}

extension Shape: CustomStringConvertible {
    /// The extents in brackets, `[1, 3, 224, 224]`.
    public var description: String { "\(extents)" }
}
