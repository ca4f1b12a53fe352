import MartletTensors

extension TypeInference {
    func concat(axis: Int) throws -> TensorType {
        let types = try node.inputs.indices.map { try type($0) }
        guard var result = types.first else { throw invalid("it has no input") }
        let axis = try self.axis(axis, rank: result.rank)
        var length = 0
        var isKnown = true
        for type in types {
            if type.rank != result.rank || type.elementType != result.elementType {
                throw invalid("it cannot join \(result) and \(type)")
            }
            for other in 0..<result.rank where other != axis {
                switch (result.dimensions[other], type.dimensions[other]) {
                case (.fixed(let a), .fixed(let b)) where a != b: throw invalid("it cannot join \(result) and \(type)")
                case (.fixed, _): break
                case (_, .fixed(let b)): result.dimensions[other] = .fixed(b)
                default: break
                }
            }
            if let extent = type.dimensions[axis].value {
                length = try CheckedArithmetic.sum([length, extent])
            } else {
                isKnown = false
            }
        }
        result.dimensions[axis] = types.count == 1 ? types[0].dimensions[axis] : isKnown ? .fixed(length) : .unknown
        return result
    }

    func split(axis: Int) throws -> [TensorType] {
        let input = try type(0)
        let axis = try self.axis(axis, rank: input.rank)
        let count = node.outputs.count
        guard count > 0 else { throw invalid("it has no output") }
        var sizes: [Extent]
        if has(1) {
            guard let given = try integers(1) else {
                throw NetworkError.unsupported(node: node.label, reason: "its parts are computed at run time")
            }
            if given.count != count || given.contains(where: { $0 < 0 }) {
                throw invalid("the parts \(given) do not fit \(count) outputs")
            }
            if let extent = input.dimensions[axis].value, try CheckedArithmetic.sum(given) != extent {
                throw invalid("the parts \(given) do not add up to \(extent)")
            }
            sizes = given.map { .fixed($0) }
        } else if let extent = input.dimensions[axis].value {
            let part = (extent + count - 1) / count
            sizes = (0..<count).map { .fixed(max(0, min(part, extent - $0 * part))) }
        } else {
            sizes = [Extent](repeating: .unknown, count: count)
        }
        return sizes.map { size in
            var part = input
            part.dimensions[axis] = size
            return part
        }
    }

    func flatten(axis: Int) throws -> TensorType {
        let input = try type(0)
        let axis = try self.axis(axis, rank: input.rank, inclusive: true)
        return TensorType(
            input.elementType, [try input.dimensions[..<axis].product(), try input.dimensions[axis...].product()])
    }

    func reshape(allowsZero: Bool) throws -> TensorType {
        let input = try type(0)
        let shape = try type(1, rank: 1...1)
        guard let entries = inputs[1]?.entries else {
            guard let count = shape.dimensions[0].value, count <= TensorType.largestRank else {
                throw NetworkError.unsupported(
                    node: node.label, reason: "the number of axes of its output is not known")
            }
            return TensorType(input.elementType, [Extent](repeating: .unknown, count: count))
        }
        var result = entries
        for (axis, entry) in entries.enumerated() {
            if entry == .fixed(0), !allowsZero {
                if axis >= input.rank { throw invalid("the shape \(entries) copies axis \(axis) of \(input)") }
                result[axis] = input.dimensions[axis]
            } else if let extent = entry.value, extent < -1 {
                throw invalid("the shape \(entries) is negative")
            }
        }
        let open = entries.indices.filter { entries[$0] == .fixed(-1) }
        if open.count > 1 { throw invalid("the shape \(entries) leaves more than one extent open") }
        guard let hole = open.first else {
            if let from = input.extents, let to = TensorType(input.elementType, result).extents,
                try CheckedArithmetic.product(from) != CheckedArithmetic.product(to)
            {
                throw invalid("\(input) does not fill the shape \(entries)")
            }
            return TensorType(input.elementType, result)
        }
        result[hole] = .fixed(1)
        result[hole] = try quotient(input.dimensions, by: result, of: input)
        return TensorType(input.elementType, result)
    }

    /// What is left of a product of extents after the others are divided out; equal names cancel.
    private func quotient(_ extents: [Extent], by others: [Extent], of input: TensorType) throws -> Extent {
        var rest = extents
        var divisors: [Extent] = []
        for divisor in others {
            if case .symbol = divisor, let index = rest.firstIndex(of: divisor) {
                rest.remove(at: index)
            } else {
                divisors.append(divisor)
            }
        }
        let (total, known) = (try rest.product(), try divisors.product())
        guard case .fixed(let divisor) = known else { return .unknown }
        guard case .fixed(let count) = total else { return divisor == 1 ? total : .unknown }
        guard divisor != 0, count % divisor == 0 else { throw invalid("\(input) does not fill the shape \(others)") }
        return .fixed(count / divisor)
    }

    func squeeze() throws -> TensorType {
        let input = try type(0)
        var removed: [Int] = []
        if has(1) {
            guard let given = try integers(1) else {
                throw NetworkError.unsupported(node: node.label, reason: "its axes are computed at run time")
            }
            removed = try axes(given, rank: input.rank)
            for axis in removed {
                if let extent = input.dimensions[axis].value, extent != 1 {
                    throw invalid("axis \(axis) of \(input) is not 1")
                }
            }
        } else {
            if input.extents == nil {
                throw NetworkError.unsupported(node: node.label, reason: "its axes depend on a shape known at run time")
            }
            removed = input.dimensions.indices.filter { input.dimensions[$0] == .fixed(1) }
        }
        return TensorType(
            input.elementType, input.dimensions.enumerated().filter { !removed.contains($0.offset) }.map(\.element))
    }

    func unsqueeze() throws -> TensorType {
        let input = try type(0)
        _ = try type(1)
        guard let given = try integers(1) else {
            throw NetworkError.unsupported(node: node.label, reason: "its axes are computed at run time")
        }
        let rank = input.rank + given.count
        let added = Set(try axes(given, rank: rank))
        var rest = input.dimensions[...]
        return TensorType(
            input.elementType, (0..<rank).map { added.contains($0) ? .fixed(1) : rest.popFirst() ?? .fixed(1) })
    }

    func transpose(_ permutation: [Int]?) throws -> TensorType {
        let input = try type(0)
        let order = permutation ?? (0..<input.rank).reversed()
        if order.sorted() != Array(0..<input.rank) { throw invalid("\(order) does not permute \(input.rank) axes") }
        return TensorType(input.elementType, order.map { input.dimensions[$0] })
    }

    func gather(axis: Int) throws -> TensorType {
        let (input, indices) = (try type(0, rank: 1...), try type(1))
        if indices.elementType != .int64, indices.elementType != .int32 {
            throw invalid("the indices are \(indices.elementType)")
        }
        let axis = try self.axis(axis, rank: input.rank)
        return TensorType(
            input.elementType, input.dimensions[..<axis] + indices.dimensions + input.dimensions[(axis + 1)...])
    }

    func slice() throws -> TensorType {
        let input = try type(0)
        var result = input
        guard let plan = try SlicePlan(self) else {
            // Which axes are cut may be known even where the cuts are not.
            let cut = has(3) ? try integers(3).map { try axes($0, rank: input.rank) } : nil
            let count = try type(1).dimensions.first?.value
            for axis in cut ?? (has(3) ? nil : count.map { Array(0..<min($0, input.rank)) }) ?? Array(0..<input.rank) {
                result.dimensions[axis] = .unknown
            }
            return result
        }
        for cut in plan.cuts {
            guard let extent = input.dimensions[cut.axis].value else {
                // The whole axis stays whole, whatever its extent.
                if cut.start != 0 || cut.end < Int(Int32.max) || cut.step != 1 {
                    result.dimensions[cut.axis] = .unknown
                }
                continue
            }
            result.dimensions[cut.axis] = .fixed(cut.resolved(extent: extent).count)
        }
        return result
    }

    func pad() throws -> TensorType {
        let input = try type(0)
        var cut = Array(0..<input.rank)
        if has(3) {
            guard let given = try integers(3) else {
                throw NetworkError.unsupported(node: node.label, reason: "its axes are computed at run time")
            }
            cut = try axes(given, rank: input.rank)
        }
        var result = input
        _ = try type(1)
        guard let pads = try integers(1) else {
            for axis in cut { result.dimensions[axis] = .unknown }
            return result
        }
        if pads.count != 2 * cut.count { throw invalid("\(pads.count) pads for \(cut.count) axes") }
        for (index, axis) in cut.enumerated() {
            let total = try CheckedArithmetic.sum([pads[index], pads[index + cut.count]])
            if pads[index] == 0, pads[index + cut.count] == 0 { continue }
            guard let extent = input.dimensions[axis].value else {
                result.dimensions[axis] = .unknown
                continue
            }
            let padded = try CheckedArithmetic.sum([extent, total])
            if padded < 0 { throw invalid("the pads \(pads) take more than \(input) has") }
            result.dimensions[axis] = .fixed(padded)
        }
        return result
    }
}
