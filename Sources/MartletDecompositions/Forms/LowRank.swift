import MartletLinearAlgebra
import MartletParallelism

/// A kernel as a product of two: `V = left right`, `[T, R]` times `[R, S h w]` (paper, Appendix E).
///
/// As a network: a convolution `h x w` from `S` to `R` channels with the layer's stride and padding, and a 1x1
/// convolution from `R` to `T` with its bias; for `h = w = 1`, two fully connected layers.
public struct LowRank: Factorization {
    /// `[T, R]`, with orthonormal columns.
    public let left: Matrix
    /// `[R, S, h, w]`.
    public let right: ConvolutionKernel

    /// `R`.
    public var rank: Int { left.columns }
    public var ranks: [Int] { [rank] }

    public var layers: [FactorLayer] {
        let left = ConvolutionKernel(matrix: left, inputs: rank, height: 1, width: 1)
        return [
            FactorLayer("right_factor", right, window: .full), FactorLayer("left_factor", left, window: .point),
        ]
    }

    /// The best approximation of `kernel` of the given rank in `norm`, in closed form: with `Q` the leading eigenvectors
    /// of `W Sigma W^T` (`W W^T` for the Frobenius norm), `V = Q Q^T W`. That is the truncated SVD of `W Sigma^(1/2)`
    /// mapped back, without the root: exact for a singular `Sigma` too.
    ///
    /// One product with `Sigma` (`T D^2` multiply-adds) and an eigendecomposition of order `T`. Components below `1e-8`
    /// of the largest singular value are noise.
    /// - Parameter regularization: `epsilon` in `Sigma + epsilon tr(Sigma) / D I`, for a moment of few patches. Zero will
    ///   do for the closed form itself, which needs no inverse.
    /// - Throws: ``DecompositionError`` for a rank outside `1 ... min(T, S h w)` or a second moment of another dimension,
    ///   `LinearAlgebraError`.
    public init(
        _ kernel: ConvolutionKernel, rank: Int, norm: Norm, regularization: Double = 0, pool: ThreadPool
    ) throws {
        try DecompositionForm.lowRank.check(ranks: [rank], of: kernel.shape)
        let gram: Matrix
        if case .sigma(let secondMoment) = norm, secondMoment.matrix.trace > 0 {
            guard secondMoment.dimension == kernel.patchSize else {
                throw DecompositionError.dimensionMismatch(
                    patch: kernel.patchSize, secondMoment: secondMoment.dimension)
            }
            let weighted = try kernel.matrix.multiplied(by: secondMoment.matrix, pool: pool)
                .moved(along: kernel.matrix, by: regularization * secondMoment.matrix.trace / Double(kernel.patchSize))
            gram = try weighted.multiplied(by: kernel.matrix, otherTransposed: true, pool: pool)
        } else {
            // A second moment of zero says nothing, and the Frobenius norm decides.
            gram = kernel.matrix.gram(pool: pool)
        }
        self.left = try SymmetricEigendecomposition(gram, leading: rank).vectors
        let right = try left.multiplied(by: kernel.matrix, transposed: true, pool: pool)
        self.right = ConvolutionKernel(
            matrix: right, inputs: kernel.inputs, height: kernel.height, width: kernel.width)
    }

    private init(left: Matrix, right: ConvolutionKernel) {
        self.left = left
        self.right = right
    }

    /// The left factor is made orthonormal again, its triangle goes into the right one.
    public func mixingOutputs(pool: ThreadPool, _ multiply: (Matrix) throws -> Matrix) throws -> LowRank {
        let qr = try QRDecomposition(multiply(left))
        return LowRank(
            left: qr.orthonormal,
            right: ConvolutionKernel(
                matrix: try qr.triangular.multiplied(by: right.matrix, pool: pool), inputs: right.inputs,
                height: right.height, width: right.width))
    }

    /// The kernel `V` `[T, S, h, w]` that the two layers amount to.
    public func reconstructed(pool: ThreadPool) throws -> ConvolutionKernel {
        ConvolutionKernel(
            matrix: try left.multiplied(by: right.matrix, pool: pool), inputs: right.inputs, height: right.height,
            width: right.width)
    }
}
