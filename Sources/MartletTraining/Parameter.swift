import MartletInference
import MartletNetworks
import MartletTensors

/// A constant of a network that is learned.
public struct Parameter: Sendable {
    /// The constant's name.
    public let name: String
    /// Its extents.
    public let shape: Shape
    /// Its place among the floats of ``ParameterStore``.
    public let range: Range<Int>
    /// Whether it multiplies: weights of layers do, biases, scales and slopes do not count as such.
    public let isWeight: Bool
}

/// The parameters of a network side by side, their gradients likewise, and what changes without being learned (the running
/// statistics of batch normalisation).
///
/// Each begins at a multiple of sixteen floats; the floats between are zero.
public final class ParameterStore {
    /// The parameters, in the order in which the network first reads them.
    public let parameters: [Parameter]
    /// Running statistics, with places in memory of their own.
    let states: [Parameter]
    /// The floats that all parameters take.
    public let count: Int
    /// The floats that all running statistics take.
    let stateCount: Int
    private let valueMemory: Arena
    private let gradientMemory: Arena
    private let stateMemory: Arena
    private let places: [String: Parameter]

    /// Copies the values from a network's constants.
    init(_ network: Network, parameters: [(name: String, isWeight: Bool)], states: [String]) throws {
        func placed(_ entries: [(name: String, isWeight: Bool)]) throws -> (places: [Parameter], count: Int) {
            var places: [Parameter] = []
            var count = 0
            for entry in entries {
                guard let tensor = network.constants[entry.name], tensor.elementType == .float32 else {
                    throw NetworkError.undefinedValue(name: entry.name, user: "the list of parameters")
                }
                let size = tensor.shape.elementCount
                places.append(
                    Parameter(
                        name: entry.name, shape: tensor.shape, range: count..<count + size, isWeight: entry.isWeight))
                count = try CheckedArithmetic.sum([count, size, 15]) / 16 * 16
            }
            return (places, count)
        }
        (self.parameters, count) = try placed(parameters)
        (self.states, stateCount) = try placed(states.map { ($0, false) })
        let bytes = MemoryLayout<Float>.stride
        valueMemory = try Arena(byteCount: CheckedArithmetic.product([max(count, 1), bytes]))
        gradientMemory = try Arena(byteCount: CheckedArithmetic.product([max(count, 1), bytes]))
        stateMemory = try Arena(byteCount: CheckedArithmetic.product([max(stateCount, 1), bytes]))
        places = Dictionary(
            (self.parameters + self.states).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        read(from: network)
    }

    /// Copies the values from a network's constants.
    func read(from network: Network) {
        for (entries, memory) in [(parameters, values), (states, stateValues)] {
            for entry in entries {
                network.constants[entry.name]?.withElements(of: Float.self) {
                    if let base = $0.baseAddress {
                        (memory + entry.range.lowerBound).update(from: base, count: $0.count)
                    }
                }
            }
        }
    }

    /// All parameters as they are.
    func copyOfValues() throws -> Tensor { try copy(values, count) }
    /// All running statistics as they are.
    func copyOfStates() throws -> Tensor { try copy(stateValues, stateCount) }

    private func copy(_ memory: UnsafePointer<Float>, _ count: Int) throws -> Tensor {
        try Tensor(
            elementType: .float32, shape: Shape([count]),
            bytes: UnsafeRawBufferPointer(UnsafeBufferPointer(start: memory, count: count)))
    }

    /// Brings back what was copied.
    func restore(values: Tensor, states: Tensor) {
        for (tensor, memory) in [(values, self.values), (states, stateValues)] {
            tensor.withElements(of: Float.self) {
                if let base = $0.baseAddress { memory.update(from: base, count: $0.count) }
            }
        }
    }

    /// All parameters.
    public var values: UnsafeMutablePointer<Float> { valueMemory.base.assumingMemoryBound(to: Float.self) }
    /// The gradients of all parameters.
    public var gradients: UnsafeMutablePointer<Float> { gradientMemory.base.assumingMemoryBound(to: Float.self) }
    /// All running statistics.
    var stateValues: UnsafeMutablePointer<Float> { stateMemory.base.assumingMemoryBound(to: Float.self) }

    /// Where a parameter or running statistic lies.
    func value(of name: String) -> UnsafeMutablePointer<Float>? {
        guard let place = places[name] else { return nil }
        let isParameter = parameters.contains { $0.name == name }
        return (isParameter ? values : stateValues) + place.range.lowerBound
    }

    /// Where the gradient of a parameter lies; `nil` for what is not learned.
    func gradient(of name: String) -> UnsafeMutablePointer<Float>? {
        parameters.first { $0.name == name }.map { gradients + $0.range.lowerBound }
    }

    /// A parameter's gradient as the last backward pass left it.
    /// - Throws: ``NetworkError/undefinedValue(name:user:)`` if there is no such parameter.
    public func gradientTensor(of name: String) throws -> Tensor {
        guard let parameter = parameters.first(where: { $0.name == name }) else {
            throw NetworkError.undefinedValue(name: name, user: "who asks for a gradient")
        }
        return try tensor(gradients, parameter)
    }

    /// Puts what has been learned into a network's constants.
    public func write(to network: inout Network) throws {
        for parameter in parameters { network.constants[parameter.name] = try tensor(values, parameter) }
        for state in states { network.constants[state.name] = try tensor(stateValues, state) }
    }

    private func tensor(_ memory: UnsafePointer<Float>, _ parameter: Parameter) throws -> Tensor {
        try Tensor(
            elementType: .float32, shape: parameter.shape,
            bytes: UnsafeRawBufferPointer(
                UnsafeBufferPointer(start: memory + parameter.range.lowerBound, count: parameter.range.count)))
    }
}
