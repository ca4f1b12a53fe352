import MartletNetworks
import MartletTensors

/// Weights brought to the layout a step wants, by the name of the constant they come from.
struct PreparedWeights: Sendable {
    private var transposed: [String: Tensor] = [:]

    /// A stack of constant matrices with rows and columns exchanged.
    mutating func transposed(_ name: String, _ tensor: Tensor) throws -> Tensor {
        if let done = transposed[name] { return done }
        let rank = tensor.shape.rank
        var order = Array(0..<rank)
        order.swapAt(rank - 2, rank - 1)
        var result = try Tensor(zeros: Shape(order.map { tensor.shape[$0] }), elementType: tensor.elementType)
        _ = try tensor.withView { source in
            try result.withMutableView { target in
                try Operation.transpose(permutation: order).evaluate(inputs: [source], outputs: [target])
            }
        }
        transposed[name] = result
        return result
    }
}
