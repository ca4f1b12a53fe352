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
        var taken = Set(network.constants.keys).union(network.nodes.flatMap { $0.outputs.compactMap { $0 } })
        taken.formUnion(network.inputs.map(\.name))
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
            let stored = network.unusedName("\(name).half", among: taken)
            taken.insert(stored)
            result.constants[name] = nil
            result.constants[stored] = half
            casts.append(Node(name: stored, operation: .cast(to: .float32), inputs: [stored], outputs: [name]))
        }
        result.nodes = casts + result.nodes
        return (try result.validated(), tooLarge)
    }
}
