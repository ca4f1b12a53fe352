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
    /// How many runs of the network it is the mean over, if known. The gradients at the places of one run are too much
    /// alike to count by themselves.
    public let runCount: Int?

    /// Wraps a symmetric matrix, the mean over `runCount` runs.
    /// - Throws: ``DecompositionError``, as for a ``SecondMoment``.
    public init(_ matrix: Matrix, runCount: Int? = nil) throws(DecompositionError) {
        self.matrix = try SecondMoment(matrix).matrix
        self.runCount = runCount
    }

    /// The number of outputs, `T`.
    public var dimension: Int { matrix.rows }

    /// `tr(Lambda (W - V) Sigma (W - V)^T) / tr(Lambda W Sigma W^T)`: the squared relative error of an approximation in the
    /// complete norm.
    /// - Throws: ``DecompositionError`` if the shapes or the moments do not fit.
    public func squaredRelativeError(
        of approximation: ConvolutionKernel, to kernel: ConvolutionKernel, secondMoment: SecondMoment, pool: ThreadPool
    ) throws -> Double {
        guard approximation.shape == kernel.shape else {
            throw DecompositionError.elementCountMismatch(
                shape: kernel.shape, count: approximation.parameterCount)
        }
        guard secondMoment.dimension == kernel.patchSize else {
            throw DecompositionError.dimensionMismatch(patch: kernel.patchSize, secondMoment: secondMoment.dimension)
        }
        guard dimension == kernel.outputs else {
            throw DecompositionError.outputMismatch(outputs: kernel.outputs, moment: dimension)
        }
        func energy(_ weights: Matrix) throws -> Double {
            let outputs = try weights.multiplied(by: secondMoment.matrix, pool: pool)
            return try max(0, outputs.dot(matrix.multiplied(by: weights, pool: pool)))
        }
        return ratio(
            try energy(kernel.matrix.moved(along: approximation.matrix, by: -1)), of: try energy(kernel.matrix))
    }

    /// The ridge to fit with, as a part of the mean of the diagonal: `T / runCount`, at least 0.01; 0.1 where the number of
    /// runs is not known. A moment of few runs trusts directions that it happens not to have seen.
    public var suggestedRegularization: Double {
        guard let runCount, runCount > 0 else { return 0.1 }
        return max(0.01, Double(dimension) / Double(runCount))
    }

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
    init?(_ moment: OutputMoment, for kernel: ConvolutionKernel, options: DecompositionOptions) throws {
        guard moment.dimension == kernel.outputs else {
            throw DecompositionError.outputMismatch(outputs: kernel.outputs, moment: moment.dimension)
        }
        guard moment.matrix.trace > 0 else { return nil }
        let regularization = options.outputRegularization ?? moment.suggestedRegularization
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
