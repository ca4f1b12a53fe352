import MartletLinearAlgebra

/// What is known about a layer besides its weights.
public struct LayerMeasurements: Sendable {
    /// `E[u u^T]` of its patches.
    public var secondMoment: SecondMoment?
    /// `E|y_t|` of each output, bias included.
    public var outputMagnitudes: [Double]?
    /// `E[g g^T]` of the gradients at its outputs. Methods of the Sigma norm then minimise the complete norm, and show
    /// their errors in it.
    public var outputMoment: OutputMoment?
    /// The Fisher information of each weight, `E[(dL / dW)^2]`, `[T, S h w]`.
    public var fisherInformation: Matrix?

    /// Nothing unless told.
    public init(
        secondMoment: SecondMoment? = nil, outputMagnitudes: [Double]? = nil, outputMoment: OutputMoment? = nil,
        fisherInformation: Matrix? = nil
    ) {
        self.secondMoment = secondMoment
        self.outputMagnitudes = outputMagnitudes
        self.outputMoment = outputMoment
        self.fisherInformation = fisherInformation
    }
}
