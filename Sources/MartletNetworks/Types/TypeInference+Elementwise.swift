import MartletTensors

extension TypeInference {
    /// The common type of inputs broadcast to each other.
    func elementwise(_ indices: Range<Int>) throws -> TensorType {
        let types = try indices.map { try type($0) }
        guard let first = types.first else { throw invalid("it has no input") }
        for type in types where type.elementType != first.elementType {
            throw invalid("the inputs differ in type: \(first.elementType) and \(type.elementType)")
        }
        return TensorType(first.elementType, try broadcast(types.map(\.dimensions)))
    }

    func select() throws -> TensorType {
        let (condition, a, b) = (try type(0), try type(1), try type(2))
        if condition.elementType != .bool { throw invalid("the condition is \(condition.elementType)") }
        if a.elementType != b.elementType { throw invalid("the choices are \(a.elementType) and \(b.elementType)") }
        return TensorType(a.elementType, try broadcast([condition.dimensions, a.dimensions, b.dimensions]))
    }

    func expand() throws -> TensorType {
        let input = try type(0)
        return TensorType(input.elementType, try broadcast([input.dimensions, try wantedShape(1)]))
    }

    func constantOfShape(_ value: Tensor) throws -> TensorType {
        if value.shape.elementCount != 1 { throw invalid("the value has \(value.shape.elementCount) elements") }
        return TensorType(value.elementType, try wantedShape(0))
    }

    /// The extents an input spells out. How many there are must be known, what they are need not.
    private func wantedShape(_ index: Int) throws -> [Extent] {
        let type = try type(index, rank: 1...1)
        if let entries = inputs[index]?.entries {
            for case .fixed(let extent) in entries where extent < 0 {
                throw invalid("the shape \(entries) is negative")
            }
            return entries
        }
        guard let count = type.dimensions[0].value, count <= TensorType.largestRank else {
            throw NetworkError.unsupported(node: node.label, reason: "the number of axes of its output is not known")
        }
        return [Extent](repeating: .unknown, count: count)
    }

    /// The extents of values broadcast to each other, as numpy and ONNX have it.
    func broadcast(_ shapes: [[Extent]]) throws -> [Extent] {
        let rank = shapes.map(\.count).max() ?? 0
        return try (0..<rank).map { axis in
            var result = Extent.fixed(1)
            for shape in shapes {
                let index = axis - (rank - shape.count)
                if index < 0 { continue }
                switch (result, shape[index]) {
                case (.fixed(1), let other), (let other, .fixed(1)): result = other
                case (.fixed(let a), .fixed(let b)):
                    if a != b { throw invalid("\(shapes.map { "\($0)" }.joined(separator: " and ")) do not broadcast") }
                // A number other than 1 is what a name must turn out to be.
                case (.fixed(let a), _), (_, .fixed(let a)): result = .fixed(a)
                case (.symbol(let a), .symbol(let b)) where a == b: break
                default: result = .unknown
                }
            }
            return result
        }
    }
}
