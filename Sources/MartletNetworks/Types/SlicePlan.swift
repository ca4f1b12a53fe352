/// The cuts of a `slice` whose starts, ends, axes and steps are known.
struct SlicePlan {
    let cuts: [SliceCut]

    /// The cuts of a node; `nil` if some of its numbers are not known yet.
    init?(_ inference: TypeInference) throws {
        let rank = try inference.type(0).rank
        _ = try inference.type(1)
        _ = try inference.type(2)
        guard let starts = try inference.integers(1), let ends = try inference.integers(2) else { return nil }
        var axes = Array(starts.indices)
        var steps = [Int](repeating: 1, count: starts.count)
        if inference.has(3) {
            guard let given = try inference.integers(3) else { return nil }
            axes = given
        }
        if inference.has(4) {
            guard let given = try inference.integers(4) else { return nil }
            steps = given
        }
        if ends.count != starts.count || axes.count != starts.count || steps.count != starts.count {
            throw inference.invalid("starts, ends, axes and steps differ in number")
        }
        if steps.contains(0) { throw inference.invalid("a step of 0") }
        axes = try inference.axes(axes, rank: rank)
        cuts = starts.indices.map { SliceCut(axis: axes[$0], start: starts[$0], end: ends[$0], step: steps[$0]) }
    }
}

/// One axis of a `slice`, as ONNX states it: numbers below zero count from the end, and anything may lie outside.
public struct SliceCut: Hashable, Sendable {
    /// The axis, not negative.
    public let axis: Int
    /// The first index taken.
    public let start: Int
    /// The index before which to stop.
    public let end: Int
    /// The step, not zero; below zero walks backwards.
    public let step: Int

    /// A cut.
    public init(axis: Int, start: Int, end: Int, step: Int) {
        self.axis = axis
        self.start = start
        self.end = end
        self.step = step
    }

    /// The first index and the number of indices taken from an axis of `extent` elements, whatever the numbers are.
    public func resolved(extent: Int) -> (first: Int, count: Int) {
        func clamped(_ index: Int, _ lowest: Int, _ highest: Int) -> Int {
            let fromStart = index < -extent ? lowest : index < 0 ? index + extent : index
            return max(lowest, min(fromStart, highest))
        }
        if step > 0 {
            let (first, last) = (clamped(start, 0, extent), clamped(end, 0, extent))
            // The step may be larger than any sum allows: it divides what is there.
            return (first, first < last ? (last - first - 1) / step + 1 : 0)
        }
        let (first, last) = (clamped(start, 0, extent - 1), clamped(end, -1, extent - 1))
        if extent == 0 || first <= last { return (0, 0) }
        let stride = step == .min ? Int.max : -step
        return (first, (first - last - 1) / stride + 1)
    }
}
