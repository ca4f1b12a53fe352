import MartletTensors

extension TypeInference {
    /// What is known of the elements of the first output, for the operators that shape arithmetic is made of.
    func outputEntries() -> [Extent]? {
        // Longer vectors are no shapes, and joining one to itself again and again would fill the memory.
        guard let entries = computedEntries(), entries.count <= TensorType.largestRank else { return nil }
        return entries
    }

    private func computedEntries() -> [Extent]? {
        switch node.operation {
        case .shape(let start, let end):
            guard let type = inputs.first??.type else { return nil }
            return Array(type.dimensions[TypeInference.shapeRange(start, end, rank: type.rank)])
        case .identity, .squeeze, .unsqueeze, .reshape:
            guard let entries = entries(0) else { return nil }
            return entries
        case .cast(let type):
            return type == .int64 || type == .int32 ? entries(0) : nil
        case .concat:
            var joined: [Extent] = []
            for index in node.inputs.indices {
                guard inputs[index]?.type.rank == 1, let entries = entries(index) else { return nil }
                joined += entries
            }
            return joined
        case .gather:
            guard inputs.first??.type.rank == 1, let entries = entries(0), let indices = inputs[1]?.tensor,
                indices.shape.elementCount <= TensorType.largestRank, let indices = indices.integers
            else { return nil }
            let picked: [Extent?] = indices.map { index in
                let position = index < 0 ? index &+ entries.count : index
                return entries.indices.contains(position) ? entries[position] : nil
            }
            return picked.contains(nil) ? nil : picked.compactMap { $0 }
        case .slice:
            guard inputs.first??.type.rank == 1, let entries = entries(0), let plan = try? SlicePlan(self) else {
                return nil
            }
            var result = entries
            for cut in plan.cuts {
                let (first, count) = cut.resolved(extent: entries.count)
                result = (0..<count).map { entries[first + $0 * cut.step] }
            }
            return result
        case .arithmetic(let arithmetic):
            guard let a = entries(0), let b = entries(1) else { return nil }
            if a.count != b.count, a.count != 1, b.count != 1 { return nil }
            return (0..<max(a.count, b.count)).map { index in
                combined(arithmetic, a[a.count == 1 ? 0 : index], b[b.count == 1 ? 0 : index])
            }
        default:
            return nil
        }
    }

    private func entries(_ index: Int) -> [Extent]? { index < inputs.count ? inputs[index]?.entries : nil }

    /// The neutral element leaves a name as it is; numbers are computed; anything else is unknown.
    private func combined(_ arithmetic: Arithmetic, _ a: Extent, _ b: Extent) -> Extent {
        switch (arithmetic, a, b) {
        case (.add, .fixed(0), let other), (.add, let other, .fixed(0)), (.subtract, let other, .fixed(0)),
            (.multiply, .fixed(1), let other), (.multiply, let other, .fixed(1)), (.divide, let other, .fixed(1)):
            return other
        case (_, .fixed(let a), .fixed(let b)):
            let (value, overflow) =
                switch arithmetic {
                case .add: a.addingReportingOverflow(b)
                case .subtract: a.subtractingReportingOverflow(b)
                case .multiply: a.multipliedReportingOverflow(by: b)
                case .divide: b == 0 ? (0, true) : a.dividedReportingOverflow(by: b)
                }
            return overflow ? .unknown : .fixed(value)
        default:
            return .unknown
        }
    }
}
