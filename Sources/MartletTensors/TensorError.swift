/// What can be wrong with a shape or a tensor.
public enum TensorError: MartletError, Equatable {
    /// An extent below zero.
    case negativeExtent([Int])
    /// A product or sum of sizes that does not fit a machine integer.
    case sizeOverflow([Int])
    /// More elements than ``Shape/maximumElementCount``.
    case tooManyElements([Int])
    /// A number of elements that is not what the shape holds.
    case elementCountMismatch(shape: [Int], count: Int)
    /// Elements of one type where another was wanted.
    case elementTypeMismatch(expected: ElementType, found: ElementType)
    /// Memory that the system would not give.
    case outOfMemory(bytes: Int)

    public var description: String {
        switch self {
        case .negativeExtent(let extents):
            "the shape \(extents) has a negative extent"
        case .sizeOverflow(let extents):
            "the size of \(extents) does not fit a 64-bit integer"
        case .tooManyElements(let extents):
            "the shape \(extents) has more than \(Shape.maximumElementCount) elements"
        case .elementCountMismatch(let shape, let count):
            "\(count) elements do not fill the shape \(shape)"
        case .elementTypeMismatch(let expected, let found):
            "expected elements of type \(expected), found \(found)"
        case .outOfMemory(let bytes):
            "cannot allocate \(bytes) bytes"
        }
    }
}
