import MartletLinearAlgebra
import MartletParallelism

/// A kernel as a vertical and a horizontal one: `V[t, s, i, j] = sum_r Q[t, r, j] P[r, s, i]` (Jaderberg et al. 2014;
/// AIMET's spatial SVD).
///
/// As a network: a convolution `h x 1` from `S` to `R` channels with the vertical stride, padding and dilation, and one
/// of `1 x w` from `R` to `T` with the horizontal ones and the bias.
///
/// With `(s, i)` taken as one axis of `S h` channels and `j` as the taps, it is a ``Tucker2`` whose output factor is free:
/// `G` and `U_T` multiply out to `Q`, and `U_S` is `P`. Kernels and second moments are indexed `(s, i, j)`, so nothing
/// moves in memory, and both norms have their algorithms already.
public struct SpatialSplit: Factorization, Equatable {
    /// `P` `[R, S, h, 1]`.
    public let rows: ConvolutionKernel
    /// `Q` `[T, R, 1, w]`.
    public let columns: ConvolutionKernel

    /// `R`.
    public var rank: Int { rows.outputs }
    public var ranks: [Int] { [rank] }

    public var layers: [FactorLayer] {
        [
            FactorLayer("row_factor", rows, window: .rows), FactorLayer("column_factor", columns, window: .columns),
        ]
    }

    public func mixingOutputs(pool: ThreadPool, _ multiply: (Matrix) throws -> Matrix) throws -> SpatialSplit {
        SpatialSplit(
            rows: rows,
            columns: ConvolutionKernel(
                matrix: try multiply(columns.matrix), inputs: rank, height: 1, width: columns.width))
    }

    public func reconstructed(pool: ThreadPool) throws -> ConvolutionKernel {
        // `[T w, R]` times `[R, S h]`, and the columns go last.
        let width = columns.width
        let (outputs, height) = (columns.outputs, rows.inputs * rows.height)
        let left = TapOrder.tapMajor(columns.matrix, taps: width, pool: pool)
        let tall = try Matrix(rows: outputs * width, columns: rank, elements: left.elements)
        let product = try tall.multiplied(by: rows.matrix, pool: pool)
        let tapMajor = try Matrix(rows: outputs, columns: width * height, elements: product.elements)
        return ConvolutionKernel(
            matrix: TapOrder.interleaved(tapMajor, taps: width, pool: pool), inputs: rows.inputs, height: rows.height,
            width: width)
    }

    /// The best split of `kernel` in `norm`. In the Frobenius norm that is a truncated SVD of the matrix `[T w, S h]`; under
    /// a second moment the columns have a closed form given the rows, and the rows follow by conjugate gradients, in
    /// turns (see ``Tucker2``).
    /// - Throws: as ``Tucker2/fit(_:outputRank:inputRank:norm:options:pool:checkCancellation:)``.
    public static func fit(
        _ kernel: ConvolutionKernel, rank: Int, norm: Norm, options: DecompositionOptions = .init(), pool: ThreadPool,
        checkCancellation: () throws -> Void = {}
    ) throws -> DecompositionFit<SpatialSplit> {
        try DecompositionForm.spatial.check(ranks: [rank], of: kernel.shape)
        let folded = ConvolutionKernel(
            matrix: kernel.matrix, inputs: kernel.inputs * kernel.height, height: 1, width: kernel.width)
        // More outputs than the columns see would be dependent.
        let outputRank = min(kernel.outputs, rank * kernel.width)
        let fit = try Tucker2.fit(
            folded, outputRank: outputRank, inputRank: rank, norm: norm, options: options, pool: pool,
            checkCancellation: checkCancellation)
        return try fit.map { factors in
            let columns = try factors.outputFactor.multiplied(by: factors.core.matrix, pool: pool)
            return SpatialSplit(
                rows: ConvolutionKernel(
                    matrix: factors.inputFactor.transposed, inputs: kernel.inputs, height: kernel.height, width: 1),
                columns: ConvolutionKernel(matrix: columns, inputs: rank, height: 1, width: kernel.width))
        }
    }
}
