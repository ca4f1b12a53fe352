/// The method of conjugate gradients for `A x = b` with a symmetric positive (semi-)definite operator.
///
/// Each step lowers `f(x) = x A x / 2 - b x`, so stopping early never gives a worse point than the start.
public enum ConjugateGradients {
    /// Where the iteration ended.
    public struct Solution: Sendable {
        /// The last point.
        public var iterate: [Double]
        /// The number of steps taken.
        public var iterations: Int
        /// `|b - A x|`, as the recurrence has it.
        public var residualNorm: Double
        /// Whether the residual fell to the tolerance.
        public var converged: Bool
    }

    /// Iterates until the residual is at most `tolerance |b|`, or `maximumIterations` steps are done, or a direction of
    /// no curvature is met (the operator is singular there, and the step would be unbounded).
    ///
    /// - Parameters:
    ///   - start: the first point; nil is zero, and saves one application of the operator.
    ///   - operator: `x` to `A x`.
    ///   - preconditioner: `r` to `M r` with `M` symmetric positive definite, near the inverse of `A`.
    /// - Throws: ``LinearAlgebraError`` if the lengths do not fit or a number is not finite; whatever the closures throw.
    public static func solve(
        rightHandSide: [Double], start: [Double]? = nil, maximumIterations: Int, tolerance: Double = 0,
        preconditioner: ((_ residual: [Double]) throws -> [Double])? = nil,
        operator apply: (_ x: [Double]) throws -> [Double]
    ) throws -> Solution {
        let count = rightHandSide.count
        if let start, start.count != count { throw mismatch(count, start.count) }
        var iterate = start ?? [Double](repeating: 0, count: count)
        var residual = rightHandSide
        if let start { add(-1, try applied(apply, to: start), to: &residual) }
        let goal = tolerance * dot(rightHandSide, rightHandSide).squareRoot()
        var norm = dot(residual, residual).squareRoot()
        guard norm.isFinite else { throw LinearAlgebraError.nonFinite(operation: "conjugate gradients") }
        var direction: [Double] = []
        var product = 0.0
        var iterations = 0
        while norm > goal, iterations < maximumIterations {
            let scaled = try preconditioner.map { try applied($0, to: residual) } ?? residual
            let next = dot(residual, scaled)
            if direction.isEmpty {
                direction = scaled
            } else {
                let factor = next / product
                for index in 0..<count { direction[index] = scaled[index] + factor * direction[index] }
            }
            product = next
            let image = try applied(apply, to: direction)
            let curvature = dot(direction, image)
            guard curvature.isFinite, product.isFinite else {
                throw LinearAlgebraError.nonFinite(operation: "conjugate gradients")
            }
            if curvature <= 0 || product <= 0 { break }
            let length = product / curvature
            add(length, direction, to: &iterate)
            add(-length, image, to: &residual)
            norm = dot(residual, residual).squareRoot()
            iterations += 1
        }
        return Solution(iterate: iterate, iterations: iterations, residualNorm: norm, converged: norm <= goal)
    }

    private static func applied(_ apply: ([Double]) throws -> [Double], to x: [Double]) throws -> [Double] {
        let result = try apply(x)
        if result.count != x.count { throw mismatch(x.count, result.count) }
        return result
    }

    private static func mismatch(_ expected: Int, _ found: Int) -> LinearAlgebraError {
        .dimensionMismatch(operation: "conjugate gradients", shapes: [[expected], [found]])
    }
}
