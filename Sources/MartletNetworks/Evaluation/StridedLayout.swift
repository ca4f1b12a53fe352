import MartletKernelsBaseline
import MartletTensors

/// The walk of a copy between two layouts of the same elements; neighbouring axes that are one in both are merged.
struct StridedLayout {
    private(set) var extents: [Int] = []
    private(set) var sourceStrides: [Int] = []
    private(set) var targetStrides: [Int] = []

    /// A walk over `extents`; strides are in elements.
    init(extents: [Int], sourceStrides: [Int], targetStrides: [Int]) {
        for axis in extents.indices where extents[axis] != 1 {
            let last = self.extents.count - 1
            if last >= 0, self.sourceStrides[last] == sourceStrides[axis] * extents[axis],
                self.targetStrides[last] == targetStrides[axis] * extents[axis]
            {
                self.extents[last] *= extents[axis]
                self.sourceStrides[last] = sourceStrides[axis]
                self.targetStrides[last] = targetStrides[axis]
            } else {
                self.extents.append(extents[axis])
                self.sourceStrides.append(sourceStrides[axis])
                self.targetStrides.append(targetStrides[axis])
            }
        }
    }

    /// Copies; the offsets are in elements. The caller has checked that both sides are inside their memory.
    func copy(
        from source: UnsafeRawPointer, sourceOffset: Int = 0, to target: UnsafeMutableRawPointer,
        targetOffset: Int = 0, elementBytes: Int
    ) {
        if extents.contains(0) { return }
        copyStrided(
            rank: extents.count, extents: extents, source: source + sourceOffset * elementBytes,
            sourceStrides: sourceStrides.map { $0 * elementBytes }, target: target + targetOffset * elementBytes,
            targetStrides: targetStrides.map { $0 * elementBytes }, elementBytes: elementBytes)
    }
}
