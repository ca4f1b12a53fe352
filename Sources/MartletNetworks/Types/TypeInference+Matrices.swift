import MartletTensors

extension TypeInference {
    func gemm(_ gemm: Gemm) throws -> TensorType {
        let (a, b) = (try type(0, rank: 2...2), try type(1, rank: 2...2))
        let rows = a.dimensions[gemm.transposesA ? 1 : 0]
        let columns = b.dimensions[gemm.transposesB ? 0 : 1]
        let (innerA, innerB) = (a.dimensions[gemm.transposesA ? 0 : 1], b.dimensions[gemm.transposesB ? 1 : 0])
        if let k = innerA.value, let other = innerB.value, k != other {
            throw invalid("\(a) does not multiply \(b): \(k) against \(other)")
        }
        if has(2) {
            let result = try broadcast([[rows, columns], try type(2, rank: 0...2).dimensions])
            if let m = rows.value, let n = columns.value, result != [.fixed(m), .fixed(n)] {
                throw invalid("the addend \(try type(2)) does not fit \(m) x \(n)")
            }
        }
        return TensorType(a.elementType, [rows, columns])
    }

    /// The product of the stacks of matrices at these places.
    func matMul(_ left: Int, _ right: Int) throws -> TensorType {
        let (a, b) = (try type(left, rank: 1...), try type(right, rank: 1...))
        let left = a.rank == 1 ? [.fixed(1)] + a.dimensions : a.dimensions
        let right = b.rank == 1 ? b.dimensions + [.fixed(1)] : b.dimensions
        if let k = left[left.count - 1].value, let other = right[right.count - 2].value, k != other {
            throw invalid("\(a) does not multiply \(b): \(k) against \(other)")
        }
        var result = try broadcast([left.dropLast(2), right.dropLast(2)].map { Array($0) })
        if a.rank > 1 { result.append(left[left.count - 2]) }
        if b.rank > 1 { result.append(right[right.count - 1]) }
        return TensorType(a.elementType, result)
    }

    func reduceMean(keepsAxes: Bool, keepsInputIfNoAxes: Bool) throws -> TensorType {
        let input = try type(0)
        var reduced = Array(0..<input.rank)
        if has(1) {
            guard let given = try integers(1) else {
                throw NetworkError.unsupported(node: node.label, reason: "its axes are computed at run time")
            }
            if !given.isEmpty { reduced = try axes(given, rank: input.rank) }
            if given.isEmpty, keepsInputIfNoAxes { return input }
        } else if keepsInputIfNoAxes {
            return input
        }
        var result: [Extent] = []
        for (axis, dimension) in input.dimensions.enumerated() {
            if !reduced.contains(axis) { result.append(dimension) } else if keepsAxes { result.append(.fixed(1)) }
        }
        return TensorType(input.elementType, result)
    }
}
