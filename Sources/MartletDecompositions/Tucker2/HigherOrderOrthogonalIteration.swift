import MartletLinearAlgebra
import MartletParallelism

/// Tucker-2 in the Frobenius norm: higher-order orthogonal iteration (De Lathauwer et al. 2000), as TensorLy's
/// `partial_tucker` on the modes of the outputs and inputs.
///
/// Given one factor, the other is spanned by the leading left singular vectors of the kernel projected onto the first;
/// they come from the eigenvectors of a Gram matrix `[T, T]` or `[S, S]`. The core is the kernel projected onto both, so
/// the error is what the projection loses: `|W|^2 - |G|^2`. A sweep costs about `2 T S h w (R_S + R_T)` multiply-adds and
/// two eigendecompositions.
struct HigherOrderOrthogonalIteration {
    private let kernel: ConvolutionKernel
    /// `W` as `[T, h w S]`.
    private let weights: Matrix
    private let pool: ThreadPool

    init(_ kernel: ConvolutionKernel, pool: ThreadPool) {
        self.kernel = kernel
        self.weights = TapOrder.tapMajor(kernel.matrix, taps: kernel.taps, pool: pool)
        self.pool = pool
    }

    func fit(
        outputRank: Int, inputRank: Int, options: DecompositionOptions, checkCancellation: () throws -> Void
    ) throws -> DecompositionFit<Tucker2> {
        let energy = weights.squaredNorm
        // The truncated higher-order SVD.
        var outputs = try SingularValueDecomposition.leadingLeftVectors(of: weights, count: outputRank, pool: pool)
        var inputs: Matrix
        switch options.start {
        case .singularVectors:
            inputs = try leadingInputs(count: inputRank)
        case .random:
            var random = RandomNumbers(seed: options.seed)
            inputs = try QRDecomposition(random.normalMatrix(rows: kernel.inputs, columns: inputRank)).orthonormal
        }
        var errors = [ratio(max(0, energy - core(outputs, inputs).squaredNorm), of: energy)]
        var converged = false
        for _ in 0..<(options.maximumSweeps ?? 50) {
            try checkCancellation()
            outputs = try SingularValueDecomposition.leadingLeftVectors(
                of: projected(ontoInputs: inputs), count: outputRank, pool: pool)
            let kept = try outputs.multiplied(by: weights, transposed: true, pool: pool)
            let eigen = try leadingInputs(of: kept, count: inputRank)
            inputs = eigen.vectors
            let error = ratio(max(0, energy - eigen.values.reduce(0, +)), of: energy)
            let gain = errors[errors.count - 1] - error
            errors.append(error)
            // What a projection keeps is known to the rounding of the whole, and no better.
            if gain <= (options.tolerance ?? 2e-5) * error || error < 1e-14 {
                converged = true
                break
            }
        }
        let factors = Tucker2(
            outputFactor: outputs, tapMajorCore: core(outputs, inputs), inputFactor: inputs, height: kernel.height,
            width: kernel.width, pool: pool)
        return DecompositionFit(factors: factors, errors: errors, converged: converged)
    }

    /// The input factor of the truncated higher-order SVD.
    func leadingInputs(count: Int) throws -> Matrix {
        try leadingInputs(of: weights, count: count).vectors
    }

    /// The leading left singular vectors of the unfolding along the inputs of `[rows, h w S]`, with their squared
    /// singular values.
    private func leadingInputs(of tapMajor: Matrix, count: Int) throws -> SymmetricEigendecomposition {
        let channels = kernel.inputs
        let rows = tapMajor.rows * kernel.taps
        // `[rows, h, w, S]` is `[rows h w, S]` as it stands.
        var gram = Matrix(rows: channels, columns: channels)
        withPointers(tapMajor, &gram) { tapMajor, gram in
            BLAS.gram(
                pool: pool, transpose: true, n: channels, k: rows, a: tapMajor, lda: channels, c: gram, ldc: channels)
        }
        return try SymmetricEigendecomposition(gram, leading: count)
    }

    /// `W` with its inputs projected: `[T, h w R_S]`.
    private func projected(ontoInputs inputs: Matrix) -> Matrix {
        let (channels, rank) = (kernel.inputs, inputs.columns)
        let rows = kernel.outputs * kernel.taps
        var result = Matrix(rows: kernel.outputs, columns: kernel.taps * rank)
        withPointers(weights, inputs, &result) { weights, inputs, result in
            BLAS.gemm(
                pool: pool, m: rows, n: rank, k: channels, a: weights, lda: channels, b: inputs, ldb: rank, c: result,
                ldc: rank)
        }
        return result
    }

    /// `W` projected onto both factors: `[R_T, h w R_S]`.
    private func core(_ outputs: Matrix, _ inputs: Matrix) -> Matrix {
        let reduced = projected(ontoInputs: inputs)
        let (rank, width) = (outputs.columns, reduced.columns)
        var result = Matrix(rows: rank, columns: width)
        withPointers(outputs, reduced, &result) { outputs, reduced, result in
            BLAS.gemm(
                pool: pool, transposeA: true, m: rank, n: width, k: kernel.outputs, a: outputs, lda: rank, b: reduced,
                ldb: width, c: result, ldc: width)
        }
        return result
    }
}
