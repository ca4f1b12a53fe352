import MartletDecompositions
import MartletTensors

/// What a layer is to be fitted to once the layers before it have changed what it sees.
///
/// With `u` what the layer saw in the original and `u'` what it sees now, both less their means, the best weights without
/// a bound on their rank are those of the regression of `W u` on `u'`; what a `V` of lower rank costs more than they is
/// their distance in the norm of `E[u' u'^T]`. So the layer is fitted as any other, with these weights and this moment.
struct RetargetedLayer: Sendable {
    /// The weights to come near to.
    var kernel: ConvolutionKernel
    /// `E[u' u'^T]`, centred.
    var moment: SecondMoment
    /// `E[u']`.
    var mean: [Double]
    /// `E[y]`, the mean of the original's outputs.
    var outputMean: [Double]

    /// The bias with which `V` keeps the original's mean outputs: `E[y] - V E[u']`.
    func bias(of approximation: ConvolutionKernel) -> [Double] {
        zip(outputMean, approximation.outputs(of: mean)).map { $0 - $1 }
    }

    /// Of everything in it.
    var digest: String {
        var hash = FNV1a()
        for values in [kernel.elements, moment.matrix.elements, mean, outputMean] {
            values.withUnsafeBytes { hash.add($0) }
        }
        return hash.text
    }
}
