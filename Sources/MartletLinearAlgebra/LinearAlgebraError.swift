import MartletTensors

/// What can be wrong with a problem of linear algebra.
public enum LinearAlgebraError: MartletError, Equatable {
    /// Extents that do not fit each other, or the operation.
    case dimensionMismatch(operation: String, shapes: [[Int]])
    /// An extent beyond ``BLAS/maximumExtent``, or below zero.
    case unsupportedExtent(operation: String, shape: [Int])
    /// A NaN or an infinity among the elements.
    case nonFinite(operation: String)
    /// A Cholesky factorisation met a pivot that is not positive: the leading minor of `order` is not.
    case notPositiveDefinite(order: Int)
    /// A triangular system with a zero on its diagonal.
    case singular(row: Int)
    /// An iteration inside LAPACK did not converge; `info` is the routine's own report.
    case noConvergence(routine: String, info: Int)

    public var description: String {
        switch self {
        case .dimensionMismatch(let operation, let shapes):
            "\(operation): the extents do not fit: \(shapes.map(\.description).joined(separator: ", "))"
        case .unsupportedExtent(let operation, let shape):
            "\(operation): the extents \(shape) are not in 0 ... \(BLAS.maximumExtent)"
        case .nonFinite(let operation):
            "\(operation): an element is NaN or infinite"
        case .notPositiveDefinite(let order):
            "the matrix is not positive definite: its leading minor of order \(order) is not positive"
        case .singular(let row):
            "the triangular matrix has a zero on its diagonal, in row \(row)"
        case .noConvergence(let routine, let info):
            "LAPACK's \(routine) did not converge (info \(info))"
        }
    }

    public var remedy: String? {
        switch self {
        case .notPositiveDefinite:
            "Add a ridge to the diagonal, or gather the second moment from more images."
        case .nonFinite:
            "Look for overflow in the network's activations or for a damaged weight file."
        default:
            nil
        }
    }
}
