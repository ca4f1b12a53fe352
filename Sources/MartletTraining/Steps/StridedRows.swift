/// Rows of several arrays that are walked through side by side: axes that lie one after the other in all of them are joined, so
/// that rows are long.
struct StridedRows {
    /// Extents, outermost first; the last is the length of a row.
    private(set) var extents: [Int]
    /// For each array, the distance between neighbours along each axis; zero repeats.
    private(set) var strides: [[Int]]

    /// Arrays of these extents.
    init(extents: [Int], strides: [[Int]]) {
        var joined: [Int] = []
        var steps = strides.map { _ in [Int]() }
        for axis in extents.indices where extents[axis] != 1 {
            let isContinued =
                joined.last != nil
                && strides.indices.allSatisfy { steps[$0].last == strides[$0][axis] * extents[axis] }
            if isContinued {
                joined[joined.count - 1] *= extents[axis]
                for array in strides.indices { steps[array][joined.count - 1] = strides[array][axis] }
            } else {
                joined.append(extents[axis])
                for array in strides.indices { steps[array].append(strides[array][axis]) }
            }
        }
        if joined.isEmpty {
            joined = [1]
            steps = strides.map { _ in [0] }
        }
        self.extents = joined
        self.strides = steps
    }

    /// The length of a row.
    var count: Int { extents[extents.count - 1] }

    /// The step along a row of an array.
    func step(_ array: Int) -> Int { strides[array][extents.count - 1] }

    /// Calls `body` with the offsets of each row in the arrays.
    func forEach(_ body: (_ offsets: UnsafePointer<Int>) -> Void) {
        if extents.contains(0) { return }
        let (outer, arrays) = (extents.count - 1, strides.count)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: arrays + outer) { memory in
            memory.initialize(repeating: 0)
            guard let offsets = memory.baseAddress else { return }
            let index = offsets + arrays
            while true {
                body(offsets)
                var axis = outer - 1
                while axis >= 0 {
                    index[axis] += 1
                    for array in 0..<arrays { offsets[array] += strides[array][axis] }
                    if index[axis] < extents[axis] { break }
                    for array in 0..<arrays { offsets[array] -= strides[array][axis] * extents[axis] }
                    index[axis] = 0
                    axis -= 1
                }
                if axis < 0 { return }
            }
        }
    }
}
