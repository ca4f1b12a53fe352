import MartletKernelsBaseline
import MartletNetworks

extension Activation {
    /// Whether the gradient can be told from the result alone.
    var isToldByResult: Bool {
        switch self {
        case .relu, .clip, .sigmoid, .hardSigmoid, .tanh: true
        case .leakyRelu(let slope): slope > 0
        case .hardSwish: false
        }
    }

    /// Makes the gradient by the result that by the argument.
    /// - Parameters:
    ///   - gradient: `count` elements.
    ///   - result: As many; the argument for an activation that is not ``isToldByResult``.
    func multiplyGradient(_ gradient: UnsafeMutablePointer<Float>, result: UnsafePointer<Float>, count: Int) {
        switch self {
        case .relu: reluGradient(result, gradient: gradient, count: count)
        case .clip(let minimum, let maximum):
            clipGradient(result, gradient: gradient, count: count, minimum: minimum, maximum: maximum)
        case .leakyRelu(let slope): leakyReluGradient(result, gradient: gradient, count: count, slope: slope)
        case .sigmoid: sigmoidGradient(result, gradient: gradient, count: count)
        case .hardSigmoid(let alpha, _):
            hardSigmoidGradient(result, gradient: gradient, count: count, alpha: alpha)
        case .hardSwish: hardSwishGradient(result, gradient: gradient, count: count)
        case .tanh: hyperbolicTangentGradient(result, gradient: gradient, count: count)
        }
    }
}
