import MartletLinearAlgebra
import MartletParallelism
import MartletTensors

/// Rounds the rows of a weight so that the layer's results change least: `e^T Sigma e` for the error `e` of a row, where rounding
/// to the nearest would keep each `|e_i|` small by itself.
///
/// With `Sigma = L L^T` the change is `|L^T e|^2`, whose i-th term is `L_ii e_i + sum over k > i of L_ki e_k`. From the last column
/// to the first, each weight is rounded after the sum over those before it was taken off: what they did wrong, it makes good. This is
/// GPTQ (Frantar et al. 2023, [arXiv 2210.17323](https://arxiv.org/abs/2210.17323)) without the inverse. Columns of large
/// mean square go first.
///
/// Cost: `D^3 / 3` multiply-adds for L and `T D^2 / 2` for T rows of D weights.
struct CompensatedRounding {
    /// A part of Sigma's mean diagonal that is added to it: directions that the images hardly show count too.
    private static let ridge = 0.01
    /// Rows that are rounded at once, which read the factor together.
    private static let rowsOfTask = 8

    private let factor: Matrix
    /// The column of each row of the factor.
    private let columns: [Int]

    /// The rounding for inputs of a second moment `D x D`; `nil` if there were none but zeros.
    /// - Throws: `LinearAlgebraError`.
    init?(secondMoment sigma: Matrix) throws {
        let size = sigma.rows
        let mean = sigma.trace / Double(max(size, 1))
        guard mean > 0, mean.isFinite else { return nil }
        let order = (0..<size).sorted { (sigma[$0, $0], $0) < (sigma[$1, $1], $1) }
        let elements = [Double](unsafeUninitializedCapacity: size * size) { target, initialized in
            for i in 0..<size {
                for j in 0..<size { target[i * size + j] = j <= i ? sigma[order[i], order[j]] : 0 }
                target[i * size + i] += CompensatedRounding.ridge * mean
            }
            initialized = size * size
        }
        factor = try CholeskyDecomposition(Matrix(rows: size, columns: size, elements: elements)).factor
        columns = order
    }

    /// The integers from -127 to 127 that stand for a weight `[T, D]`, row by row.
    /// - Parameter scales: one for each row.
    func rounded(_ weight: UnsafeBufferPointer<Float>, scales: [Float], pool: ThreadPool) -> [Int8] {
        let (size, rows, columns) = (factor.rows, scales.count, columns)
        return [Int8](unsafeUninitializedCapacity: rows * size) { integers, initialized in
            initialized = rows * size
            guard let integers = integers.baseAddress else { return }
            factor.elements.withUnsafeBufferPointer { factor in
                guard let factor = factor.baseAddress else { return }
                pool.forEach((rows + CompensatedRounding.rowsOfTask - 1) / CompensatedRounding.rowsOfTask) { task in
                    let first = task * CompensatedRounding.rowsOfTask
                    let count = min(CompensatedRounding.rowsOfTask, rows - first)
                    withUnsafeTemporaryAllocation(of: Double.self, capacity: count * size) { sums in
                        sums.initialize(repeating: 0)
                        guard let sums = sums.baseAddress else { return }
                        for k in stride(from: size - 1, through: 0, by: -1) {
                            let row = factor + k * size
                            for r in 0..<count {
                                let place = (first + r) * size + columns[k]
                                let (value, scale) = (Double(weight[place]), Double(scales[first + r]))
                                let wanted = value + sums[r * size + k] / row[k]
                                let steps = max(-127, min(127, (wanted / scale).rounded(.toNearestOrEven)))
                                integers[place] = Int8(steps)
                                CompensatedRounding.add(
                                    row, times: value - steps * scale, to: sums + r * size, count: k)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func add(
        _ x: UnsafePointer<Double>, times factor: Double, to y: UnsafeMutablePointer<Double>, count: Int
    ) {
        for i in 0..<count { y[i] += factor * x[i] }
    }
}
