import MartletLinearAlgebra
import MartletParallelism

/// Where CP decompositions start.
enum CPStart {
    /// Terms from singular vectors, the best that can be had without alternating: exact where terms do not overlap.
    ///
    /// Take the singular vectors `c_a` `[h]` and `d_b` `[w]` of the unfoldings along rows and columns as coordinates of the
    /// window. The kernel is then `h w` matrices, `M_ab[t, s] = sum_ij c_a[i] d_b[j] K[t, s, i, j]`, and each is a sum of
    /// its own singular triplets. Of all these terms, orthogonal to each other, the `R` largest are the start; what its
    /// error lacks is the rest of the squared singular values. Where there are not as many, random ones fill up.
    static func singularVectors(_ kernel: ConvolutionKernel, rank: Int, seed: UInt64, pool: ThreadPool) throws
        -> CanonicalPolyadic
    {
        let (outputs, inputs, height, width) = (kernel.outputs, kernel.inputs, kernel.height, kernel.width)
        let rowBasis = try windowBasis(kernel, vertical: true)
        let columnBasis = try windowBasis(kernel, vertical: false)
        var slices: [(left: Matrix, values: [Double], right: Matrix)] = []
        for a in 0..<height {
            for b in 0..<width {
                var slice = Matrix(rows: outputs, columns: inputs)
                withPointers(kernel.matrix, &slice) { elements, slice in
                    for index in 0..<outputs * inputs {
                        for i in 0..<height {
                            for j in 0..<width {
                                slice[index] +=
                                    rowBasis[i, a] * columnBasis[j, b]
                                    * elements[(index * height + i) * width + j]
                            }
                        }
                    }
                }
                slices.append(try triplets(of: slice, count: rank, pool: pool))
            }
        }
        // The largest first; of equals, those of the earlier slice.
        var order: [(slice: Int, index: Int, value: Double)] = []
        for (slice, triplet) in slices.enumerated() {
            for (index, value) in triplet.values.enumerated() where value > 0 { order.append((slice, index, value)) }
        }
        order.sort { ($1.value, $0.slice, $0.index) < ($0.value, $1.slice, $1.index) }

        var random = RandomNumbers(seed: seed)
        var factors = randomFactors(kernel, rank: rank, &random, scale: 1e-3 * kernel.matrix.squaredNorm.squareRoot())
        for (term, chosen) in order.prefix(rank).enumerated() {
            let slice = slices[chosen.slice]
            for t in 0..<outputs { factors.outputs[t, term] = slice.left[t, chosen.index] * chosen.value }
            for s in 0..<inputs { factors.inputs[s, term] = slice.right[s, chosen.index] }
            for i in 0..<height { factors.rows[i, term] = rowBasis[i, chosen.slice / width] }
            for j in 0..<width { factors.columns[j, term] = columnBasis[j, chosen.slice % width] }
        }
        return factors.factors
    }

    /// Normal numbers, the outputs' scaled so that the terms have about the kernel's energy between them.
    static func random(_ kernel: ConvolutionKernel, rank: Int, seed: UInt64) -> CanonicalPolyadic {
        var random = RandomNumbers(seed: seed)
        let scale = (kernel.matrix.squaredNorm / Double(rank)).squareRoot()
        return randomFactors(kernel, rank: rank, &random, scale: scale).factors
    }

    private struct Factors {
        var outputs: Matrix
        var inputs: Matrix
        var rows: Matrix
        var columns: Matrix
        var factors: CanonicalPolyadic {
            CanonicalPolyadic(outputs: outputs, inputs: inputs, rows: rows, columns: columns)
        }
    }

    /// Terms of about the norm `scale` each.
    private static func randomFactors(
        _ kernel: ConvolutionKernel, rank: Int, _ random: inout RandomNumbers, scale: Double
    ) -> Factors {
        func factor(_ rows: Int) -> Matrix {
            let matrix = random.normalMatrix(rows: rows, columns: rank)
            return matrix.scalingColumns(by: matrix.columnNorms.map { ratio(1, of: $0) })
        }
        let outputs = factor(kernel.outputs).scalingColumns(by: [Double](repeating: scale, count: rank))
        return Factors(
            outputs: outputs, inputs: factor(kernel.inputs), rows: factor(kernel.height), columns: factor(kernel.width))
    }

    /// The left singular vectors of the unfolding along the rows or columns of the window.
    private static func windowBasis(_ kernel: ConvolutionKernel, vertical: Bool) throws -> Matrix {
        let (height, width) = (kernel.height, kernel.width)
        let order = vertical ? height : width
        var gram = Matrix(rows: order, columns: order)
        withPointers(kernel.matrix, &gram) { elements, gram in
            for index in 0..<kernel.outputs * kernel.inputs {
                let taps = elements + index * height * width
                for i in 0..<order {
                    for j in 0...i {
                        var sum = 0.0
                        for k in 0..<(vertical ? width : height) {
                            sum +=
                                vertical
                                ? taps[i * width + k] * taps[j * width + k] : taps[k * width + i] * taps[k * width + j]
                        }
                        gram[i * order + j] += sum
                    }
                }
            }
        }
        return try SymmetricEigendecomposition(gram).vectors
    }

    /// The leading singular triplets of `[T, S]` by the eigenvectors of the smaller Gram matrix.
    private static func triplets(
        of matrix: Matrix, count: Int, pool: ThreadPool
    ) throws -> (left: Matrix, values: [Double], right: Matrix) {
        let isTall = matrix.rows > matrix.columns
        let eigen = try SymmetricEigendecomposition(
            matrix.gram(transposed: isTall, pool: pool), leading: min(count, matrix.rows, matrix.columns))
        // Below this a squared singular value is rounding, and its vectors with it.
        let floor = 1e-14 * max(0, eigen.values.first ?? 0)
        let values = eigen.values.map { $0 > floor ? $0.squareRoot() : 0 }
        let image = try matrix.multiplied(by: eigen.vectors, transposed: !isTall, pool: pool)
        let other = image.scalingColumns(by: values.map { $0 > 0 ? 1 / $0 : 0 })
        return isTall ? (other, values, eigen.vectors) : (eigen.vectors, values, other)
    }
}
