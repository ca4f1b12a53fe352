import MartletLinearAlgebra
import MartletParallelism

/// `Lambda = E[g g^T]` over the gradients `g` of a loss, or of the class scores, at a layer's outputs: what the rest of the
/// network makes of an error there.
///
/// With it the error of a layer replaced by `V` is `tr(Lambda (W - V) Sigma (W - V)^T)`, to first order the mean square of
/// what the replacement changes at the network's end if input and gradient are independent (the complete functional norm that
/// section 6 of the paper leaves to the future; the same assumption as in K-FAC, Martens and Grosse 2015).
///
/// `Lambda = L L^T` turns that into the Sigma norm of `L^T W`: every algorithm for that norm serves, and `L^-T` takes its last
/// factor back.
public struct OutputMoment: Sendable {
    /// The symmetric matrix, `T x T`.
    public let matrix: Matrix

    /// Wraps a symmetric matrix.
    /// - Throws: ``DecompositionError``, as for a ``SecondMoment``.
    public init(_ matrix: Matrix) throws(DecompositionError) {
        self.matrix = try SecondMoment(matrix).matrix
    }

    /// The number of outputs, `T`.
    public var dimension: Int { matrix.rows }

    /// `Lambda + epsilon tr(Lambda) / T I`: `epsilon` of 0 trusts it in full, a large one leaves the outputs alike.
    func regularized(by regularization: Double) -> Matrix {
        var result = matrix
        let ridge = regularization * matrix.trace / Double(dimension)
        result.withMutableElements { elements in
            for index in 0..<dimension { elements[index * dimension + index] += ridge }
        }
        return result
    }
}

/// The change of a layer's outputs under which the complete norm is the Sigma norm.
struct OutputWhitening {
    /// `L`, lower triangular.
    private let root: Matrix

    /// - Returns: nil for a moment of zero, which says nothing.
    init?(_ moment: OutputMoment, for kernel: ConvolutionKernel, regularization: Double) throws {
        guard moment.dimension == kernel.outputs else {
            throw DecompositionError.outputMismatch(outputs: kernel.outputs, moment: moment.dimension)
        }
        guard moment.matrix.trace > 0 else { return nil }
        root = try CholeskyDecomposition(moment.regularized(by: regularization)).factor
    }

    /// `L^T W`.
    func whitened(_ kernel: ConvolutionKernel, pool: ThreadPool) throws -> ConvolutionKernel {
        ConvolutionKernel(
            matrix: try root.multiplied(by: kernel.matrix, transposed: true, pool: pool), inputs: kernel.inputs,
            height: kernel.height, width: kernel.width)
    }

    /// `L^-T` times a matrix with a row for each output.
    func restored(_ matrix: Matrix, pool: ThreadPool) throws -> Matrix {
        try root.solvingTriangular(.lower, transposed: true, right: matrix, pool: pool)
    }
}
