import MartletTensors

/// A network together with the type of every value in it.
public struct TypedNetwork: Sendable {
    /// The network.
    public var network: Network
    /// The type of each input, constant and node output, by name.
    public var types: [String: TensorType]

    /// A network whose values have these types.
    public init(network: Network, types: [String: TensorType]) {
        self.network = network
        self.types = types
    }

    /// The type of a value that the network defines.
    public func type(of value: String) -> TensorType? { types[value] }
}

extension Network {
    /// The network with everything computed in advance that does not depend on its inputs, and the types of all values.
    ///
    /// Shape arithmetic is followed through symbolic extents, so that the glue exporters emit around a reshape
    /// (`Shape`, `Gather`, `Concat`, ...) disappears for every batch size at once. Nodes that nothing needs any more
    /// are dropped. `inputTypes` replaces the declared types of inputs, `inputValues` says what some of them will hold.
    /// - Throws: ``NetworkError`` for a node whose inputs contradict its operator.
    public func folded(
        inputTypes: [String: TensorType] = [:], inputValues: [String: Tensor] = [:]
    ) throws -> TypedNetwork {
        var folding = Folding(network: try validated(), inputTypes: inputTypes, inputValues: inputValues)
        return try folding.run()
    }

    /// The network for inputs of these shapes, as ``folded(inputTypes:inputValues:)`` makes it; the shapes of its values are
    /// numbers. With `values`, results hold only for inputs of these values; the inputs themselves stay.
    /// - Throws: ``NetworkError/inputMismatch(name:expected:found:)`` for a shape the network does not take, and the
    ///   errors of ``folded(inputTypes:inputValues:)``.
    public func specialized(to shapes: [String: Shape], values: [String: Tensor] = [:]) throws -> TypedNetwork {
        var types: [String: TensorType] = [:]
        var symbols: [String: Int] = [:]
        for input in inputs {
            guard let shape = shapes[input.name] else {
                throw NetworkError.inputMismatch(name: input.name, expected: "\(input.type)", found: "missing")
            }
            let fits =
                shape.rank == input.type.rank
                && zip(shape.extents, input.type.dimensions).allSatisfy { extent, dimension in
                    switch dimension {
                    case .fixed(let value): value == extent
                    case .symbol(let name): symbols.updateValue(extent, forKey: name) ?? extent == extent
                    case .unknown: true
                    }
                }
            if !fits {
                throw NetworkError.inputMismatch(
                    name: input.name, expected: "\(input.type)", found: "\(TensorType(input.type.elementType, shape))")
            }
            types[input.name] = TensorType(input.type.elementType, shape)
        }
        return try folded(inputTypes: types, inputValues: values)
    }
}
