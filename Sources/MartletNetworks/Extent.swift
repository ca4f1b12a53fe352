import MartletTensors

/// One extent of a value whose shape may not be known before the network runs.
public enum Extent: Hashable, Sendable, CustomStringConvertible {
    /// A number.
    case fixed(Int)
    /// A number known only by name, such as the batch size `N`. The same name is the same number.
    case symbol(String)
    /// A number that nothing is known about.
    case unknown

    /// The number, where it is one.
    public var value: Int? {
        if case .fixed(let value) = self { value } else { nil }
    }

    /// The number, the name, or `?`.
    public var description: String {
        switch self {
        case .fixed(let value): "\(value)"
        case .symbol(let name): name
        case .unknown: "?"
        }
    }
}

extension Sequence<Extent> {
    /// The product, known as far as it can be: numbers multiply, a symbol survives multiplication by one.
    func product() throws -> Extent {
        var fixed = 1
        var symbol: Extent?
        for dimension in self {
            if case .fixed(let value) = dimension {
                fixed = try CheckedArithmetic.product([fixed, value])
            } else {
                symbol = symbol == nil ? dimension : .unknown
            }
        }
        guard let symbol else { return .fixed(fixed) }
        return fixed == 0 ? .fixed(0) : fixed == 1 ? symbol : .unknown
    }
}
