extension Network {
    /// The network with more of its values among its outputs, after those that it has. Their extents are left open.
    /// - Throws: ``NetworkError/undefinedValue(name:user:)`` for a value that there is not.
    public func puttingOut(_ values: some Sequence<String>) throws -> Network {
        var result = self
        let types = try forOneImage().types
        var known = Set(inputs.map(\.name) + outputs.map(\.name))
        for value in values where known.insert(value).inserted {
            guard let type = types[value] else {
                throw NetworkError.undefinedValue(name: value, user: "whoever wants to see it")
            }
            let open = [Extent](repeating: .unknown, count: type.rank)
            result.outputs.append(Value(name: value, type: TensorType(type.elementType, open)))
        }
        return result
    }
}
