import MartletKernelsBaseline
import MartletNetworks

/// What happens to a convolution's result while it is still in the cache: bias, residual, activation, in this order.
package struct Epilogue {
    private let bias: UnsafePointer<Float>?
    private let residual: UnsafePointer<Float>?
    private let bounds: (minimum: Float, maximum: Float)
    /// An activation that is not a clamp.
    private let activation: Activation?
    private let isIdentity: Bool

    /// The bias has one number for each output channel; the residual has the shape of the result.
    package init(bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>?, activation: Activation?) {
        self.bias = bias
        self.residual = residual
        let bounds = activation?.bounds
        self.bounds = bounds ?? (-.infinity, .infinity)
        self.activation = bounds == nil ? activation : nil
        isIdentity = bias == nil && residual == nil && activation == nil
    }

    /// Finishes `count` elements of a channel, `offset` elements into the result.
    package func apply(to result: UnsafeMutablePointer<Float>, offset: Int, count: Int, channel: Int) {
        if isIdentity { return }
        let row = result + offset
        finish(
            row, count: count, bias: bias?[channel] ?? 0, residual: residual.map { $0 + offset },
            minimum: bounds.minimum, maximum: bounds.maximum)
        activation?.apply(UnsafePointer(row), into: row, count: count)
    }
}

extension Activation {
    /// The bounds of an activation that only clamps.
    var bounds: (minimum: Float, maximum: Float)? {
        switch self {
        case .relu: (0, .infinity)
        case .clip(let minimum, let maximum): (minimum, maximum)
        default: nil
        }
    }

    /// Applies the activation to `count` elements; `y` may be `x`.
    package func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
        switch self {
        case .relu: MartletKernelsBaseline.clip(x, into: y, count: count, minimum: 0, maximum: .infinity)
        case .clip(let minimum, let maximum):
            MartletKernelsBaseline.clip(x, into: y, count: count, minimum: minimum, maximum: maximum)
        case .leakyRelu(let slope): MartletKernelsBaseline.leakyRelu(x, into: y, count: count, slope: slope)
        case .sigmoid: MartletKernelsBaseline.sigmoid(x, into: y, count: count)
        case .hardSigmoid(let alpha, let beta):
            MartletKernelsBaseline.hardSigmoid(x, into: y, count: count, alpha: alpha, beta: beta)
        case .hardSwish: MartletKernelsBaseline.hardSwish(x, into: y, count: count)
        case .tanh: MartletKernelsBaseline.hyperbolicTangent(x, into: y, count: count)
        }
    }
}
