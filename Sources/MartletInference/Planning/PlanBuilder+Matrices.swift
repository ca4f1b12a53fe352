import MartletNetworks
import MartletTensors

extension PlanBuilder {
    /// The algorithm for a matrix product with addend.
    mutating func gemm(_ node: Node, _ gemm: Gemm) throws -> any Step {
        if let product = try productOfBytes(node) { return product }
        if let product = try halvedGemm(node, gemm) { return product }
        let (a, b, y) = (try floats(node, 0), try floats(node, 1), try output(node))
        let (rows, columns) = (y.shape[0], y.shape[1])
        var right = MatrixOperand(view: b, isTransposed: !gemm.transposesB)
        if right.isTransposed, let (name, tensor) = constant(node, 1) {
            right = MatrixOperand(view: try transposed(name, tensor), isTransposed: false)
        }
        return MatrixProduct(
            left: MatrixOperand(view: a, isTransposed: gemm.transposesA), right: right, y: y.floats, rows: rows,
            columns: columns, terms: a.shape[gemm.transposesA ? 0 : 1], pairs: [.init(left: 0, right: 0, result: 0)],
            factor: gemm.alpha, addend: try addend(node, gemm), activation: gemm.activation,
            kernels: kernels ?? KernelSet(.baseline))
    }

    private func addend(_ node: Node, _ gemm: Gemm) throws -> MatrixProduct.Addend? {
        guard let c = try optionalFloats(node, 2) else { return nil }
        let extents = [Int](repeating: 1, count: 2 - c.shape.rank) + c.shape.extents
        return MatrixProduct.Addend(
            values: c.floats, rowStride: extents[0] == 1 ? 0 : extents[1], columnStride: extents[1] == 1 ? 0 : 1,
            factor: gemm.beta)
    }

    /// A fully connected layer with weights in half precision, where they are held in it or the options allow it, and the
    /// kernels have it.
    private mutating func halvedGemm(_ node: Node, _ gemm: Gemm) throws -> MatrixProduct? {
        guard gemm.transposesB, !gemm.transposesA, let kernels, kernels.widensHalves,
            let (name, weight) = constant(node, 1), let halves = try halves(name, weight)
        else { return nil }
        let (a, y) = (try floats(node, 0), try output(node))
        return MatrixProduct(
            left: MatrixOperand(view: a, isTransposed: false), right: MatrixOperand(view: a, isTransposed: false),
            halves: halves, y: y.floats, rows: y.shape[0], columns: y.shape[1], terms: a.shape[1],
            pairs: [.init(left: 0, right: 0, result: 0)], factor: gemm.alpha, addend: try addend(node, gemm),
            activation: gemm.activation, kernels: kernels)
    }

    private mutating func halves(_ name: String, _ weight: Tensor) throws -> UnsafePointer<Float16>? {
        if weight.elementType == .float16 { return held(weight) }
        if !options.halvesLinearWeights || weight.elementType != .float32 { return nil }
        return try packedHalves(name, weight)
    }

    /// The algorithm for a product of stacks of matrices.
    mutating func matMul(_ node: Node) throws -> any Step {
        let (a, b, y) = (try floats(node, 0), try floats(node, 1), try output(node))
        // A vector is a matrix of one row on the left, of one column on the right.
        let left = a.shape.rank == 1 ? [1] + a.shape.extents : a.shape.extents
        let right = b.shape.rank == 1 ? b.shape.extents + [1] : b.shape.extents
        let (terms, columns) = (right[right.count - 2], right[right.count - 1])
        var rows = left[left.count - 2]
        var pairs: [MatrixProduct.Pair] = [.init(left: 0, right: 0, result: 0)]
        if y.shape.elementCount == 0 {
            // Nothing to compute, however many empty matrices there are.
            pairs = []
        } else if right.count == 2 {
            // One matrix on the right: all rows on the left are one matrix.
            rows = left.dropLast().reduce(1, *)
        } else {
            pairs = MatrixProduct.pairs(left: Array(left.dropLast(2)), right: Array(right.dropLast(2)))
        }
        // A vector on the right is already a row.
        var operand = MatrixOperand(view: b, isTransposed: columns != 1 && terms != 1)
        if operand.isTransposed, let (name, tensor) = constant(node, 1) {
            operand = MatrixOperand(view: try transposed(name, tensor), isTransposed: false)
        }
        return MatrixProduct(
            left: MatrixOperand(view: a, isTransposed: false), right: operand, y: y.floats, rows: rows,
            columns: columns, terms: terms, pairs: pairs, kernels: kernels ?? KernelSet(.baseline))
    }
}
