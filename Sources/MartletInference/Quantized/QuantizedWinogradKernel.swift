/// The transformed kernels of one output, G g G^T for F(4x4, 3x3) by the points 0, +-1, +-2 and infinity, rounded to 16 bits.
struct QuantizedWinogradKernel {
    /// `[positions][inputs]`.
    private(set) var weights: [Int16]
    /// What a weight of each position counts.
    private(set) var steps: [Double]

    /// The largest magnitude that B^T d of one axis can make of numbers of magnitude 1.
    private static let gains = [10.0, 10, 10, 6, 6, 10]
    private static let rows: [[Double]] = [
        [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6], [0, 0, 1],
    ]

    /// Transforms kernels `[inputs][3][3]`.
    init(_ kernels: UnsafeBufferPointer<Int8>, inputs: Int) {
        var transformed = [Double](repeating: 0, count: 36 * inputs)
        weights = [Int16](repeating: 0, count: 36 * inputs)
        steps = [Double](repeating: 0, count: 36)
        let rows = QuantizedWinogradKernel.rows
        for input in 0..<inputs {
            for i in 0..<6 {
                for j in 0..<6 {
                    var sum = 0.0
                    for a in 0..<3 {
                        for b in 0..<3 {
                            sum += rows[i][a] * rows[j][b] * Double(kernels[input * 9 + a * 3 + b])
                        }
                    }
                    transformed[(i * 6 + j) * inputs + input] = sum
                }
            }
        }
        for position in 0..<36 {
            let row = transformed[position * inputs..<(position + 1) * inputs]
            let largest = row.reduce(0) { max($0, abs($1)) }
            if largest == 0 { continue }
            // The largest input there can be, times the sum of the weights' magnitudes, each rounded up, must fit 32 bits.
            let gain = QuantizedWinogradKernel.gains
            let input = 128 * gain[position / 6] * gain[position % 6]
            let room = Double(Int32.max) / input - Double(inputs) / 2
            let factor = min(32_767 / largest, room / row.reduce(0) { $0 + abs($1) })
            if factor <= 0 { continue }
            steps[position] = 1 / factor
            for index in row.indices { weights[index] = Int16((row[index] * factor).rounded(.toNearestOrEven)) }
        }
    }
}
