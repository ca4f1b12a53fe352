import MartletTensors

/// Products of stacks of matrices of 8-bit integers with exact int32 sums, by their definition.
struct IntegerMatrixProduct: Step {
    let left, right: IntegerOperand
    let result: IntegerResult
    let rows, columns, terms: Int
    let pairs: [MatrixProduct.Pair]

    var algorithm: String { "by definition" }

    var sharedBytes: Int { left.scratchBytes + right.scratchBytes }
    var scratchBytes: Int { columns * MemoryLayout<Int32>.stride }

    func run(_ context: StepContext) {
        let a = context.shared.assumingMemoryBound(to: Int16.self)
        let b = a + left.view.shape.elementCount
        left.widen(into: a)
        right.widen(into: b)
        context.pool.forEach(pairs.count * rows) { piece, worker in
            let (index, row) = piece.quotientAndRemainder(dividingBy: rows)
            let pair = pairs[index]
            let sums = context.integers(worker: worker)
            sums.update(repeating: 0, count: columns)
            let factors = a + (pair.left * rows + row) * terms
            for term in 0..<terms {
                let factor = Int32(factors[term])
                let line = b + (pair.right * terms + term) * columns
                for column in 0..<columns { sums[column] &+= factor &* Int32(line[column]) }
            }
            result.store(
                sums, count: columns, at: (pair.result * rows + row) * columns, channel: 0, channelStep: 1)
        }
    }
}
