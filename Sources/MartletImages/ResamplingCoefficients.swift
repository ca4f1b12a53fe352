/// The weights that make one row (or column) of a resized image out of one of the original, in fixed point.
struct ResamplingCoefficients {
    /// Bits behind the point: 8 bits of pixel and 2 of headroom for weights that sum to more than one in magnitude.
    static let precision: Int32 = 32 - 8 - 2

    /// Ten million pixels a side and more are possible under every filter.
    private static let maximumWeightCount = 1 << 26

    /// Weights reserved for each output position.
    let length: Int
    /// First input position of each output position.
    private(set) var starts: [Int] = []
    /// Number of input positions of each output position.
    private(set) var counts: [Int] = []
    /// `length` weights for each output position, of which the first `counts` are meant.
    private(set) var weights: [Int32] = []

    /// The input positions that are read.
    var inputs: Range<Int> {
        guard let first = starts.first, let last = starts.last, let count = counts.last else { return 0..<0 }
        return first..<max(first, last + count)
    }

    /// The same weights for an input whose first position is number `offset` of the one they were made for.
    func counted(from offset: Int) -> ResamplingCoefficients {
        var result = self
        result.starts = starts.map { $0 - offset }
        return result
    }

    /// The weights for the outputs in `window` of a resize from `inputSize` to `outputSize`.
    ///
    /// As Pillow has it: output position x has its centre at (x + 1/2) scale; the filter, widened by the scale if that is
    /// above one, is evaluated at the centres of the input pixels within its support, normalised to sum 1 in double
    /// precision and rounded to 22 fractional bits.
    /// - Throws: ``ImageError/sideTooLong(length:target:)`` rather than take gigabytes for the weights.
    init(filter: Interpolation, inputSize: Int, outputSize: Int, window: Range<Int>) throws(ImageError) {
        let scale = Double(inputSize) / Double(outputSize)
        let filterScale = max(scale, 1)
        let support = filter.support * filterScale
        length = Int(support.rounded(.up)) * 2 + 1
        guard window.count <= Self.maximumWeightCount / length else {
            throw .sideTooLong(length: inputSize, target: outputSize)
        }
        starts.reserveCapacity(window.count)
        counts.reserveCapacity(window.count)
        weights = [Int32](repeating: 0, count: window.count * length)
        var exact = [Double](repeating: 0, count: length)
        let unit = Double(1 << Self.precision)
        for (row, position) in window.enumerated() {
            let center = (Double(position) + 0.5) * scale
            let start = max(0, Int(center - support + 0.5))
            let end = min(inputSize, Int(center + support + 0.5))
            let count = max(0, end - start)
            var sum = 0.0
            for i in 0..<count {
                let weight = filter.weight(at: (Double(i + start) - center + 0.5) * (1 / filterScale))
                exact[i] = weight
                sum += weight
            }
            for i in 0..<count {
                let weight = (sum == 0 ? exact[i] : exact[i] / sum) * unit
                weights[row * length + i] = Int32(weight + (weight < 0 ? -0.5 : 0.5))
            }
            starts.append(start)
            counts.append(count)
        }
    }
}
