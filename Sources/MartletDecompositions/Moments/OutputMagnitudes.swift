import MartletLinearAlgebra
import MartletParallelism

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The mean absolute value of a layer's outputs, from the moments of its inputs.
public enum OutputMagnitudes {
    /// `E|y_t|` of `y = W u + b` if each output were normal: with `m = W_t mu + b_t` and `v = W_t (Sigma - mu mu^T) W_t^T`,
    ///
    ///     E|y|  =  sqrt(2 v / pi) exp(-m^2 / 2 v)  +  m erf(m / sqrt(2 v))
    ///
    /// the mean of the folded normal distribution. An output is a sum over thousands of inputs, and mean and variance are
    /// exact, so this needs no second pass over the images.
    /// - Parameters:
    ///   - bias: `b` `[T]`; nil is zero.
    ///   - mean: `mu = E[u]` `[S h w]`.
    /// - Throws: ``DecompositionError`` if the shapes do not fit.
    public static func estimated(
        _ kernel: ConvolutionKernel, bias: [Double]?, mean: [Double], secondMoment: SecondMoment, pool: ThreadPool
    ) throws -> [Double] {
        guard secondMoment.dimension == kernel.patchSize, mean.count == kernel.patchSize else {
            throw DecompositionError.dimensionMismatch(patch: kernel.patchSize, secondMoment: secondMoment.dimension)
        }
        if let bias, bias.count != kernel.outputs {
            throw DecompositionError.elementCountMismatch(shape: [kernel.outputs], count: bias.count)
        }
        let weighted = try kernel.matrix.multiplied(by: secondMoment.matrix, pool: pool)
        return (0..<kernel.outputs).map { output in
            var (square, shift) = (0.0, 0.0)
            for index in output * kernel.patchSize..<(output + 1) * kernel.patchSize {
                square += weighted.elements[index] * kernel.elements[index]
                shift += kernel.elements[index] * mean[index - output * kernel.patchSize]
            }
            let variance = max(0, square - shift * shift)
            let centre = shift + (bias?[output] ?? 0)
            if variance == 0 { return abs(centre) }
            return (2 * variance / .pi).squareRoot() * exp(-centre * centre / (2 * variance))
                + centre * erf(centre / (2 * variance).squareRoot())
        }
    }
}
