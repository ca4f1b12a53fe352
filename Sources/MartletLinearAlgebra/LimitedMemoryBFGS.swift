/// Directions of descent for a smooth function, made of its last few steps and of what they changed in the gradient (L-BFGS;
/// Nocedal 1980), around a first guess at the inverse of the curvature that may be another one at every point.
///
/// Whoever uses it moves, measures and decides: this only remembers.
public struct LimitedMemoryBFGS: Sendable {
    private struct Pair {
        let step: [Double]
        let change: [Double]
        /// `<step, change>`, positive.
        let product: Double
    }

    private let memory: Int
    private var pairs: [Pair] = []

    /// Remembers the last `memory` steps.
    public init(memory: Int = 10) { self.memory = max(memory, 1) }

    /// `-H g`, a direction in which the function falls.
    /// - Parameter preconditioner: `r` to `M r` with `M` symmetric positive definite, near the inverse of the curvature; its
    ///   scale does not matter once a step is known.
    /// - Throws: whatever the closure throws.
    public func direction(
        gradient: [Double], preconditioner: (_ residual: [Double]) throws -> [Double]
    ) rethrows -> [Double] {
        var residual = gradient
        var factors: [Double] = []
        for pair in pairs.reversed() {
            let factor = dot(pair.step, residual) / pair.product
            factors.append(factor)
            add(-factor, pair.change, to: &residual)
        }
        var result = try preconditioner(residual)
        var scale = -1.0
        if let last = pairs.last {
            let curvature = dot(last.change, try preconditioner(last.change))
            if curvature > 0 { scale = -last.product / curvature }
        }
        for index in result.indices { result[index] *= scale }
        for (pair, factor) in zip(pairs, factors.reversed()) {
            add(-factor - dot(pair.change, result) / pair.product, pair.step, to: &result)
        }
        return result
    }

    /// Takes note of a step and the change of the gradient by it. One along which the gradient does not grow is left out, for it
    /// would leave directions in which the function rises.
    public mutating func record(step: [Double], change: [Double]) {
        let product = dot(step, change)
        if !(product > 1e-10 * (dot(step, step) * dot(change, change)).squareRoot()) { return }
        pairs.append(Pair(step: step, change: change, product: product))
        if pairs.count > memory { pairs.removeFirst() }
    }

    /// Whether there is nothing to go by but the gradient.
    public var isEmpty: Bool { pairs.isEmpty }

    /// Forgets all steps.
    public mutating func forget() { pairs = [] }
}
