import MartletTensors

/// The element type and shape of a value in a network, the shape perhaps known only in part.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
    /// The type of the elements.
    public var elementType: ElementType
    /// The extents, outermost first.
    public var dimensions: [Extent]

    /// A type with these elements and extents.
    public init(_ elementType: ElementType, _ dimensions: [Extent]) {
        self.elementType = elementType
        self.dimensions = dimensions
    }

    /// A type whose shape is known.
    public init(_ elementType: ElementType, _ shape: Shape) {
        self.init(elementType, shape.extents.map { .fixed($0) })
    }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The extents as numbers, where all of them are.
    public var extents: [Int]? {
        let values = dimensions.compactMap(\.value)
        return values.count == rank ? values : nil
    }

    /// The shape, where all extents are numbers.
    /// - Throws: ``TensorError`` if it is too large.
    public func shape() throws -> Shape? { try extents.map { try Shape($0) } }

    /// No tensor of a network has more axes; runtimes and formats stop long before.
    static let largestRank = 64

    /// Why no tensor can be of this type, whatever its open extents turn out to be; `nil` if one can.
    ///
    /// Extents that pass are small enough for sums and products of a few of them to fit a machine integer.
    var defect: String? {
        if rank > TensorType.largestRank { return "it has \(rank) axes" }
        do throws(TensorError) {
            _ = try Shape(dimensions.compactMap(\.value))
            return nil
        } catch {
            return error.description
        }
    }

    /// `float32 [N, 3, 224, 224]`.
    public var description: String {
        "\(elementType) [\(dimensions.map(\.description).joined(separator: ", "))]"
    }
}
