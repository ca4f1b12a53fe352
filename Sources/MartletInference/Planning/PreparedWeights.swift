import MartletNetworks
import MartletTensors

/// Weights brought to the layout a step wants, by the name of the constant they come from.
struct PreparedWeights: Sendable {
    private var transposed: [String: Tensor] = [:]
    private var packed: [String: Tensor] = [:]
    private var quads: [String: QuadWeights] = [:]

    /// The bytes of all of them.
    var byteCount: Int {
        packed.values.reduce(0) { $0 + $1.byteCount } + transposed.values.reduce(0) { $0 + $1.byteCount }
            + quads.values.reduce(0) { $0 + $1.weights.byteCount }
    }

    /// `count` elements made from a constant, under the name of the form they have.
    mutating func packed<Element: TensorElement>(
        _ name: String, as form: String, count: Int, _ fill: (UnsafeMutableBufferPointer<Element>) throws -> Void
    ) throws -> Tensor {
        // Neither part has a line break.
        let key = "\(form)\n\(name)"
        if let done = packed[key] { return done }
        var result = try Tensor(zeros: Shape([count]), elementType: Element.elementType)
        try result.withMutableElements(of: Element.self, fill)
        packed[key] = result
        return result
    }

    /// Weights for the kernels on bytes made from a constant, under the name of the form they have.
    mutating func quads(_ name: String, as form: String, _ make: () throws -> QuadWeights) throws -> QuadWeights {
        let key = "\(form)\n\(name)"
        if let done = quads[key] { return done }
        let result = try make()
        quads[key] = result
        return result
    }

    /// The elements of a float32 constant in half precision; `nil` if one of them would become infinite.
    mutating func halves(_ name: String, _ tensor: Tensor) throws -> Tensor? {
        let key = "half\n\(name)"
        if let done = packed[key] { return done }
        var result = try Tensor(zeros: tensor.shape, elementType: .float16)
        let areFinite = try tensor.withElements(of: Float.self) { source in
            try result.withMutableElements(of: Float16.self) { target in
                for index in source.indices {
                    target[index] = Float16(source[index])
                    if !target[index].isFinite { return false }
                }
                return true
            }
        }
        if !areFinite { return nil }
        packed[key] = result
        return result
    }

    /// A stack of constant matrices with rows and columns exchanged.
    mutating func transposed(_ name: String, _ tensor: Tensor) throws -> Tensor {
        if let done = transposed[name] { return done }
        let rank = tensor.shape.rank
        var order = Array(0..<rank)
        order.swapAt(rank - 2, rank - 1)
        var result = try Tensor(zeros: Shape(order.map { tensor.shape[$0] }), elementType: tensor.elementType)
        _ = try tensor.withView { source in
            try result.withMutableView { target in
                try Operator.transpose(permutation: order).evaluate(inputs: [source], outputs: [target])
            }
        }
        transposed[name] = result
        return result
    }
}
