import MartletTensors

/// What is known of a value before the network runs.
struct ValueKnowledge {
    /// Element type and shape.
    var type: TensorType
    /// The elements, where all of them are known.
    var tensor: Tensor?
    /// The elements of an integer vector or scalar of which some are known, or are extents known by name.
    var entries: [Extent]?

    init(type: TensorType, entries: [Extent]? = nil) {
        self.type = type
        self.entries = entries
    }

    init(tensor: Tensor) {
        self.tensor = tensor
        type = TensorType(tensor.elementType, tensor.shape)
        // Vectors of this length are never shapes; there is no need to keep their elements twice.
        if tensor.elementType == .int64 || tensor.elementType == .int32, tensor.shape.rank <= 1,
            tensor.shape.elementCount <= TensorType.largestRank
        {
            entries = tensor.integers?.map { .fixed($0) }
        }
    }
}

extension Tensor {
    /// The elements of an integer tensor, `nil` for other types.
    public var integers: [Int]? {
        switch elementType {
        case .int64: withElements(of: Int64.self) { $0.map { Int($0) } }
        case .int32: withElements(of: Int32.self) { $0.map { Int($0) } }
        default: nil
        }
    }
}
