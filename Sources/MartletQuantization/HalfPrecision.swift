import MartletNetworks
import MartletTensors

/// Weights in half precision: IEEE 754 binary16, 11 significant bits.
public enum HalfPrecision {
    /// Tensors of fewer elements stay: they take no room, and biases and scales are worth their digits.
    static let smallest = 64

    /// The network with its float32 weights (constants of two or more axes) as float16, each followed by a cast that gives the
    /// value its old name and type. Weights that hold a number beyond 65,504 stay.
    ///
    /// Each weight changes by at most one part in 2,048, or 2^-25 where it is smaller than 2^-14.
    /// - Returns: The network, and the names of the weights that stayed for being too large.
    /// - Throws: ``TensorError``.
    public static func halved(_ network: Network) throws -> (network: Network, tooLarge: [String]) {
        var result = network
        var casts: [Node] = []
        var tooLarge: [String] = []
        var names = UnusedNames(taken: network.valueNames)
        let outputs = Set(network.outputs.map(\.name))
        for name in network.constants.keys.sorted() {
            guard let tensor = network.constants[name], tensor.elementType == .float32, tensor.shape.rank >= 2,
                tensor.shape.elementCount >= smallest, !outputs.contains(name)
            else { continue }
            let half = try tensor.converted(to: .float16)
            // An infinite or invalid number stays one.
            if half.withElements(of: Float16.self, { $0.contains { !$0.isFinite } }) {
                tooLarge.append(name)
                continue
            }
            let stored = names.take("\(name).half")
            result.constants[name] = nil
            result.constants[stored] = half
            casts.append(Node(name: stored, operation: .cast(to: .float32), inputs: [stored], outputs: [name]))
        }
        result.nodes = casts + result.nodes
        return (try result.validated(), tooLarge)
    }

    /// The network in half precision throughout: its float32 constants as float16, and with them every value between its inputs
    /// and outputs. These keep their names and types, with casts behind and before them.
    ///
    /// For runtimes that compute in half precision. Values beyond 65,504 are infinite there.
    /// - Throws: ``QuantizationError/alreadyQuantized(network:)``, ``QuantizationError/beyondHalfPrecision(constant:)``,
    ///   ``TensorError``.
    public static func halvedThroughout(_ network: Network) throws -> Network {
        if network.nodes.contains(where: \.operation.isQuantization) {
            throw QuantizationError.alreadyQuantized(network: network.name)
        }
        var result = network
        let outputs = Set(network.outputs.map(\.name))
        for (name, tensor) in network.constants where tensor.elementType == .float32 && !outputs.contains(name) {
            let half = try tensor.converted(to: .float16)
            if half.withElements(of: Float16.self, { $0.contains { !$0.isFinite } }) {
                throw QuantizationError.beyondHalfPrecision(constant: name)
            }
            result.constants[name] = half
        }
        var names = UnusedNames(taken: network.valueNames)
        var halves: [String: String] = [:]
        func half(_ name: String) -> String {
            let half = names.take("\(name).half")
            halves[name] = half
            return half
        }
        let first = network.inputs.filter { $0.type.elementType == .float32 }.map { input in
            let name = half(input.name)
            return Node(name: name, operation: .cast(to: .float16), inputs: [input.name], outputs: [name])
        }
        let made = Set(network.nodes.flatMap { $0.outputs.compactMap { $0 } })
        let last = network.outputs.filter { $0.type.elementType == .float32 && made.contains($0.name) }.map { output in
            let name = half(output.name)
            return Node(name: name, operation: .cast(to: .float32), inputs: [name], outputs: [output.name])
        }
        for index in result.nodes.indices {
            let node = result.nodes[index]
            result.nodes[index].inputs = node.inputs.map { $0.map { halves[$0] ?? $0 } }
            result.nodes[index].outputs = node.outputs.map { $0.map { halves[$0] ?? $0 } }
            switch node.operation {
            case .cast(to: .float32): result.nodes[index].operation = .cast(to: .float16)
            case .constantOfShape(let value) where value.elementType == .float32:
                result.nodes[index].operation = .constantOfShape(value: try value.converted(to: .float16))
            default: break
            }
        }
        result.nodes = first + result.nodes + last
        return try result.validated()
    }
}
