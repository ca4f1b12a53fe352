import MartletLinearAlgebra
import MartletParallelism

@testable import MartletDecompositions

/// Numbers that are the same on every run, and in `tools/decomposition-oracle.py`: SplitMix64.
struct SeededGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in -1 ... 1.
    mutating func value() -> Double { Double(next() >> 11) * 0x1p-52 - 1 }

    mutating func matrix(_ rows: Int, _ columns: Int) throws -> Matrix {
        var elements: [Double] = []
        for _ in 0..<rows * columns { elements.append(value()) }
        return try Matrix(rows: rows, columns: columns, elements: elements)
    }

    /// A kernel of shape `[T, S, h, w]`.
    mutating func kernel(_ shape: [Int]) throws -> ConvolutionKernel {
        try ConvolutionKernel(
            outputs: shape[0], inputs: shape[1], height: shape[2], width: shape[3],
            elements: matrix(shape[0], shape[1] * shape[2] * shape[3]).elements)
    }

    /// The second moment of `samples` patches with correlated entries of different sizes.
    mutating func secondMoment(dimension: Int, samples: Int) throws -> SecondMoment {
        let mixing = try matrix(dimension, dimension)
        var patches = try matrix(samples, dimension).multiplied(by: mixing)
        for i in 0..<samples {
            for j in 0..<dimension { patches[i, j] = max(0, patches[i, j]) / Double(1 + j % 7) }
        }
        var moment = patches.gram(transposed: true)
        for i in 0..<dimension { for j in 0..<dimension { moment[i, j] /= Double(samples) } }
        return try SecondMoment(moment, patchCount: samples)
    }
}

let pool = ThreadPool(threadCount: 1)

func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
    if a.count != b.count { return .infinity }
    return zip(a, b).reduce(0.0) { max($0, abs($1.0 - $1.1).isNaN ? .infinity : abs($1.0 - $1.1)) }
}

/// `(W - V) Sigma (W - V)^T`'s trace over that of `W Sigma W^T`, by loops.
func errorByLoops(_ kernel: ConvolutionKernel, _ approximation: ConvolutionKernel, _ sigma: Matrix) -> Double {
    func energy(_ rows: [[Double]]) -> Double {
        var sum = 0.0
        for row in rows {
            for i in row.indices { for j in row.indices { sum += row[i] * sigma[i, j] * row[j] } }
        }
        return sum
    }
    let size = kernel.patchSize
    let weights = (0..<kernel.outputs).map { Array(kernel.elements[$0 * size..<($0 + 1) * size]) }
    let differences = (0..<kernel.outputs).map { row in
        (0..<size).map { weights[row][$0] - approximation.elements[row * size + $0] }
    }
    return energy(differences) / energy(weights)
}

/// A second moment with the ridge that a fit adds to it.
func regularized(_ secondMoment: SecondMoment, _ regularization: Double) -> Matrix {
    var result = secondMoment.matrix
    let ridge = regularization * result.trace / Double(result.rows)
    for index in 0..<result.rows { result[index, index] += ridge }
    return result
}

/// The symmetric root of a positive semidefinite matrix.
func symmetricRoot(_ matrix: Matrix) throws -> Matrix {
    let eigen = try SymmetricEigendecomposition(matrix)
    var scaled = eigen.vectors
    for i in 0..<scaled.rows {
        for j in 0..<scaled.columns { scaled[i, j] *= max(0, eigen.values[j]).squareRoot() }
    }
    return try scaled.multiplied(by: eigen.vectors, otherTransposed: true)
}

func isOrthonormal(_ matrix: Matrix) -> Bool {
    largestDifference(matrix.gram(transposed: true).elements, Matrix.identity(matrix.columns).elements) < 1e-10
}

func fit(
    _ kernel: ConvolutionKernel, _ outputRank: Int, _ inputRank: Int, _ norm: Norm,
    _ options: DecompositionOptions = .init()
) throws -> DecompositionFit<Tucker2> {
    try Tucker2.fit(kernel, outputRank: outputRank, inputRank: inputRank, norm: norm, options: options, pool: pool)
}
