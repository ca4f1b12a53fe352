import MartletLinearAlgebra
import MartletParallelism

/// A kernel in Tucker-2 form: `V[t, s, i, j] = sum_(p, q) U_T[t, p] G[p, q, i, j] U_S[s, q]` (paper, 3.2; Kim et al.
/// 2016).
///
/// As a network: a 1x1 convolution from `S` to `R_S` channels, one of `h x w` from `R_S` to `R_T` with the layer's stride
/// and padding, and a 1x1 convolution from `R_T` to `T` with its bias.
public struct Tucker2: Factorization {
    /// `U_T` `[T, R_T]`, with orthonormal columns.
    public let outputFactor: Matrix
    /// `G` `[R_T, R_S, h, w]`.
    public let core: ConvolutionKernel
    /// `U_S` `[S, R_S]`, with orthonormal columns.
    public let inputFactor: Matrix

    init(outputFactor: Matrix, core: ConvolutionKernel, inputFactor: Matrix) {
        self.outputFactor = outputFactor
        self.core = core
        self.inputFactor = inputFactor
    }

    /// From a core in tap-major order, `[R_T, h w R_S]`.
    init(outputFactor: Matrix, tapMajorCore: Matrix, inputFactor: Matrix, height: Int, width: Int, pool: ThreadPool) {
        let core = TapOrder.interleaved(tapMajorCore, taps: height * width, pool: pool)
        self.init(
            outputFactor: outputFactor,
            core: ConvolutionKernel(matrix: core, inputs: inputFactor.columns, height: height, width: width),
            inputFactor: inputFactor)
    }

    /// `R_T`.
    public var outputRank: Int { outputFactor.columns }
    /// `R_S`.
    public var inputRank: Int { inputFactor.columns }
    public var ranks: [Int] { [outputRank, inputRank] }

    public var layers: [FactorLayer] {
        [
            FactorLayer("input_factor", inputKernel, window: .point), FactorLayer("core", core, window: .full),
            FactorLayer("output_factor", outputKernel, window: .point),
        ]
    }

    /// The first layer's weights, `[R_S, S, 1, 1]`.
    public var inputKernel: ConvolutionKernel {
        ConvolutionKernel(matrix: inputFactor.transposed, inputs: inputFactor.rows, height: 1, width: 1)
    }

    /// The last layer's weights, `[T, R_T, 1, 1]`.
    public var outputKernel: ConvolutionKernel {
        ConvolutionKernel(matrix: outputFactor, inputs: outputRank, height: 1, width: 1)
    }

    /// The output factor is made orthonormal again, its triangle goes into the core.
    public func mixingOutputs(pool: ThreadPool, _ multiply: (Matrix) throws -> Matrix) throws -> Tucker2 {
        let qr = try QRDecomposition(multiply(outputFactor))
        return Tucker2(
            outputFactor: qr.orthonormal,
            core: ConvolutionKernel(
                matrix: try qr.triangular.multiplied(by: core.matrix, pool: pool), inputs: inputRank,
                height: core.height, width: core.width),
            inputFactor: inputFactor)
    }

    /// The kernel `V` `[T, S, h, w]` that the three layers amount to.
    public func reconstructed(pool: ThreadPool) -> ConvolutionKernel {
        let (taps, channels, rank) = (core.taps, inputFactor.rows, inputRank)
        let tapMajorCore = TapOrder.tapMajor(core.matrix, taps: taps, pool: pool)
        var expanded = Matrix(rows: outputRank, columns: taps * channels)
        withPointers(tapMajorCore, inputFactor, &expanded) { core, factor, expanded in
            for tap in 0..<taps {
                BLAS.gemm(
                    pool: pool, transposeB: true, m: outputRank, n: channels, k: rank, a: core + tap * rank,
                    lda: taps * rank, b: factor, ldb: rank, c: expanded + tap * channels, ldc: taps * channels)
            }
        }
        var result = Matrix(rows: outputFactor.rows, columns: taps * channels)
        withPointers(outputFactor, expanded, &result) { factor, expanded, result in
            BLAS.gemm(
                pool: pool, m: outputFactor.rows, n: taps * channels, k: outputRank, a: factor, lda: outputRank,
                b: expanded, ldb: taps * channels, c: result, ldc: taps * channels)
        }
        return ConvolutionKernel(
            matrix: TapOrder.interleaved(result, taps: taps, pool: pool), inputs: channels, height: core.height,
            width: core.width)
    }
}
