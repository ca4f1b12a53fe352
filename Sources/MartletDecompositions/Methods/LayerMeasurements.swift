/// What is known about a layer besides its weights.
public struct LayerMeasurements: Sendable {
    /// `E[u u^T]` of its patches.
    public var secondMoment: SecondMoment?
    /// `E|y_t|` of each output, bias included.
    public var outputMagnitudes: [Double]?

    public init(secondMoment: SecondMoment? = nil, outputMagnitudes: [Double]? = nil) {
        self.secondMoment = secondMoment
        self.outputMagnitudes = outputMagnitudes
    }
}
