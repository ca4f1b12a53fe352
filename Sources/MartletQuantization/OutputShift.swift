import MartletTensors

/// How far a layer's results are off, output by output.
struct OutputShift {
    private var sums: [Double]
    private var squares: [Double]
    private var whole = 0.0
    private var count = 0

    init(outputs: Int) {
        sums = [Double](repeating: 0, count: outputs)
        squares = sums
    }

    /// The mean of what is missing from each output.
    var means: [Double] { sums.map { $0 / Double(max(count, 1)) } }

    /// The sum of squared errors over the sum of squares, with or without what a corrected bias takes off.
    func relativeError(corrected: Bool) -> Double {
        if whole == 0 { return 0 }
        let free = corrected ? sums.reduce(0) { $0 + $1 * $1 } / Double(max(count, 1)) : 0
        return max(0, squares.reduce(0, +) - free) / whole
    }

    /// Adds the results `[images, outputs, ...]` of a batch.
    mutating func add(exact: Tensor, rounded: Tensor) {
        let outputs = sums.count
        guard exact.shape == rounded.shape, exact.shape.rank >= 2, exact.shape[1] == outputs else { return }
        let size = exact.shape.extents[2...].reduce(1, *)
        exact.withElements(of: Float.self) { a in
            rounded.withElements(of: Float.self) { b in
                for plane in 0..<exact.shape[0] * outputs {
                    var (sum, square, all) = (Float(0), Float(0), Float(0))
                    for i in plane * size..<(plane + 1) * size {
                        let difference = a[i] - b[i]
                        sum += difference
                        square += difference * difference
                        all += a[i] * a[i]
                    }
                    sums[plane % outputs] += Double(sum)
                    squares[plane % outputs] += Double(square)
                    whole += Double(all)
                }
            }
        }
        count += exact.shape[0] * size
    }
}
