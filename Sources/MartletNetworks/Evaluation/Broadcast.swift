import MartletTensors

/// The walk over operands broadcast to a common shape, as numpy and ONNX have it.
///
/// Neighbouring axes along which every operand walks alike are merged, so that operands of one shape are a single run,
/// and a number per channel is one run a channel.
struct Broadcast {
    /// The common shape.
    let shape: [Int]
    private var extents: [Int] = []
    private var strides: [[Int]] = []

    /// The walk over operands of these shapes; `nil` if they do not broadcast.
    init?(_ shapes: [Shape]) {
        let rank = shapes.map(\.rank).max() ?? 0
        var common = [Int](repeating: 1, count: rank)
        for shape in shapes {
            for axis in 0..<shape.rank {
                let at = axis + rank - shape.rank
                if shape[axis] == common[at] || shape[axis] == 1 { continue }
                if common[at] != 1 { return nil }
                common[at] = shape[axis]
            }
        }
        self.shape = common
        let operandStrides = shapes.map { shape in
            [Int](repeating: 0, count: rank - shape.rank)
                + zip(shape.extents, shape.strides).map { $0 == 1 ? 0 : $1 }
        }
        for axis in 0..<rank where common[axis] != 1 {
            let step = operandStrides.map { $0[axis] }
            if let last = strides.last, zip(last, step).allSatisfy({ $0 == $1 * common[axis] }) {
                extents[extents.count - 1] *= common[axis]
                strides[strides.count - 1] = step
            } else {
                extents.append(common[axis])
                strides.append(step)
            }
        }
        if extents.isEmpty {
            extents = [1]
            strides = [[Int](repeating: 0, count: shapes.count)]
        }
    }

    /// The step of each operand inside a run: 1, or 0 for one that is repeated.
    var steps: [Int] { strides[strides.count - 1] }

    /// The number of elements in a run.
    var runLength: Int { extents[extents.count - 1] }

    /// Visits the runs in order with the offset of each operand.
    func forEachRun(_ body: (_ result: Int, _ operands: [Int]) throws -> Void) rethrows {
        if extents.contains(0) { return }
        let outer = extents.count - 1
        var index = [Int](repeating: 0, count: outer)
        var offsets = [Int](repeating: 0, count: strides[0].count)
        var result = 0
        while true {
            try body(result, offsets)
            result += runLength
            var axis = outer - 1
            while axis >= 0 {
                index[axis] += 1
                for operand in offsets.indices { offsets[operand] += strides[axis][operand] }
                if index[axis] < extents[axis] { break }
                for operand in offsets.indices { offsets[operand] -= strides[axis][operand] * extents[axis] }
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
