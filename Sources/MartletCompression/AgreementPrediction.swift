#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How often a compressed network is expected to give the same class as the original, before anybody looks.
///
/// The loss of a plan is the relative change of the class scores that it should cause: each layer's Sigma error, times what an
/// error of that layer was measured to do. The odds of disagreeing grow about as a power of it,
/// `log(d / (1 - d)) = a + b log(loss)`; `a`, `b` and the scatter about the line are fitted to compressed networks of
/// four kinds (`tools/calibrate-agreement.py`, with the table in the guide on budgets). The interval is where 95 of 100 further
/// networks should be, if they are like those.
public struct AgreementPrediction: Sendable, Equatable, Codable {
    /// The part of images on which both give the same class.
    public var agreement: Double
    /// Lower and upper end of the 95 % interval.
    public var interval: [Double]
    /// The loss that it follows from.
    public var loss: Double

    /// `a` in `a + b log(loss)`.
    static let intercept = 0.35
    /// `b`.
    static let slope = 0.75
    /// The half width of the 95 % interval of `log(d / (1 - d))`.
    static let margin = 0.8

    /// The prediction for a plan's loss.
    public init(loss: Double) {
        let centre = Self.intercept + Self.slope * log(max(loss, 1e-12))
        func agreement(_ logit: Double) -> Double { 1 / (1 + exp(logit)) }
        self.loss = loss
        self.agreement = agreement(centre)
        interval = [agreement(centre + Self.margin), agreement(centre - Self.margin)]
    }
}
