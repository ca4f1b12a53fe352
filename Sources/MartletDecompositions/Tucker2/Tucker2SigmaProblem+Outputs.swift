import MartletLinearAlgebra
import MartletParallelism

extension Tucker2SigmaProblem {
    /// The best `U_T` and `G` for an input factor with orthonormal columns, in closed form.
    ///
    /// The layer sees the patches `(U_S x I)^T u`, whose second moment is `A = (U_S x I)^T Sigma (U_S x I)`, and wants
    /// `W u`; with `C = (U_S x I)^T Sigma W^T` the full regression is `A^-1 C`. Restricted to rank `R_T` (reduced-rank
    /// regression): `A = L L^T`, `Z = L^-1 C`, `U_T` the leading eigenvectors of `Z^T Z`, `G = (A^-1 C U_T)^T`, and the
    /// error `tr(W Sigma W^T)` less the leading eigenvalues.
    func fitOutputs(_ inputs: Matrix, rank: Int) throws -> State {
        let width = taps * inputs.columns
        let (lower, image) = try regression(inputs)
        let eigen = try SymmetricEigendecomposition(image.gram(pool: pool), leading: rank)
        var core = try eigen.vectors.multiplied(by: image, transposed: true, pool: pool)
        withPointers(lower, &core) { lower, core in
            BLAS.trsm(
                pool: pool, side: .right, triangle: .lower, m: rank, n: width, a: lower, lda: width, b: core, ldb: width
            )
        }
        let error = max(0, energy - eigen.values.reduce(0, +))
        return State(outputs: eigen.vectors, core: core, inputs: inputs, relativeError: ratio(error, of: energy))
    }

    /// The squared relative error in the regularised norm for an input factor with orthonormal columns, by the output rank
    /// less one: `T` numbers that fall, from the eigenvalues alone.
    func errorsByOutputRank(_ inputs: Matrix) throws -> [Double] {
        let values = try SymmetricEigendecomposition.values(of: regression(inputs).image.gram(pool: pool))
        var rest = energy
        return values.sorted(by: >).map { value in
            rest -= max(0, value)
            return ratio(max(0, rest), of: energy)
        }
    }

    /// `L` and `Z^T = C^T L^-T` `[T, h w R_S]` of the regression on the inputs that an input factor leaves.
    private func regression(_ inputs: Matrix) throws -> (lower: Matrix, image: Matrix) {
        let (rows, width) = (kernel.outputs, taps * inputs.columns)
        let lower = try CholeskyDecomposition(interaction(inputs)).factor
        // Z^T, from C^T row by row.
        var image = cross(inputs)
        withPointers(lower, &image) { lower, image in
            BLAS.trsm(
                pool: pool, side: .right, triangle: .lower, transposeA: true, m: rows, n: width, a: lower, lda: width,
                b: image, ldb: width)
        }
        return (lower, image)
    }

    /// `C^T = W Sigma (U_S x I)`, tap-major `[T, h w R_S]`.
    func cross(_ inputs: Matrix) -> Matrix {
        let (channels, rank) = (self.channels, inputs.columns)
        let rows = kernel.outputs * taps
        var result = Matrix(rows: kernel.outputs, columns: taps * rank)
        // `[T, h w, S]` is `[T h w, S]` as it stands.
        withPointers(weighted, inputs, &result) { weighted, inputs, result in
            BLAS.gemm(
                pool: pool, m: rows, n: rank, k: channels, a: weighted, lda: channels, b: inputs, ldb: rank, c: result,
                ldc: rank)
        }
        return result
    }

    /// `A = (U_S x I)^T Sigma (U_S x I)`, tap-major on both sides `[h w R_S, h w R_S]`.
    ///
    /// Its block for two taps is `U_S^T Sigma_ab U_S`. Of the pairs of taps only those with `b >= a` are computed, about
    /// `S^2 R_S` multiply-adds each.
    func interaction(_ inputs: Matrix) -> Matrix {
        let (channels, taps, rank) = (self.channels, self.taps, inputs.columns)
        let width = taps * rank
        var result = Matrix(rows: width, columns: width)
        var gathered = Matrix(rows: taps * channels, columns: channels)
        var half = Matrix(rows: taps * channels, columns: rank)
        for first in 0..<taps {
            let count = taps - first
            gatherBlocks(of: first, into: &gathered)
            withPointers(gathered, inputs, &half) { gathered, inputs, half in
                BLAS.gemm(
                    pool: pool, m: count * channels, n: rank, k: channels, a: gathered, lda: channels, b: inputs,
                    ldb: rank, c: half, ldc: rank)
            }
            withPointers(half, inputs, &result) { half, inputs, result in
                pool.forEach(count) { index in
                    BLAS.gemm(
                        transposeA: true, m: rank, n: rank, k: channels, a: half + index * channels * rank, lda: rank,
                        b: inputs, ldb: rank, c: result + ((first + index) * width + first) * rank, ldc: width)
                }
            }
        }
        result.withMutableElements { elements in
            guard let base = elements.baseAddress else { return }
            // The factor's columns are orthonormal, so the ridge comes through unchanged.
            for index in 0..<width { base[index * width + index] += ridge }
            BLAS.mirrorLowerTriangle(n: width, c: base, ldc: width)
        }
        return result
    }

    /// Copies `Sigma_ab` `[S, S]` for `a = first` and each `b >= a`, one below the other, into `blocks`.
    private func gatherBlocks(of first: Int, into blocks: inout Matrix) {
        let (channels, taps, order) = (self.channels, self.taps, secondMoment.dimension)
        withPointers(secondMoment.matrix, &blocks) { sigma, blocks in
            let group = 16
            pool.forEach((channels + group - 1) / group) { index in
                for row in index * group..<min((index + 1) * group, channels) {
                    let source = sigma + (row * taps + first) * order
                    for second in first..<taps {
                        let target = blocks + ((second - first) * channels + row) * channels
                        for channel in 0..<channels { target[channel] = source[channel * taps + second] }
                    }
                }
            }
        }
    }
}
