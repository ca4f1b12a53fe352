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
/// error of that layer was measured to do. Random changes of that size to the original's scores on calibration images
/// give another class first in a part `r` of cases (`OutputComparison/disagreement(scoreError:)`), which takes in how sure the network
/// is of its classes. Real changes are not independent from class to class, so a line corrects it:
/// `log(d / (1 - d)) = a + b log(r / (1 - r))`, with `a`, `b` and the scatter fitted to 21 networks made
/// of four (`tools/calibrate-agreement.py`, and the table in the guide on budgets). The interval is where further networks should be, if they
/// are like those.
public struct AgreementPrediction: Sendable, Equatable, Codable {
    /// The part of images on which both give the same class.
    public var agreement: Double
    /// Lower and upper end of the 95 % interval.
    public var interval: [Double]
    /// The loss that it follows from.
    public var loss: Double
    /// How often random changes of that size give another class.
    public var randomDisagreement: Double

    enum CodingKeys: String, CodingKey {
        case agreement, interval, loss
        case randomDisagreement = "random_disagreement"
    }

    /// `a` in `a + b log(r / (1 - r))`.
    static let intercept = -1.043
    /// `b`.
    static let slope = 0.505
    /// The half width of the 95 % interval of `log(d / (1 - d))`.
    static let margin = 1.084

    /// The prediction for a plan's loss and what random changes of that size do.
    public init(loss: Double, disagreement: Double) {
        self.loss = loss
        randomDisagreement = disagreement
        // Of some thousand draws none may have changed anything.
        let part = min(max(disagreement, 1e-4), 1 - 1e-4)
        let centre = Self.intercept + Self.slope * log(part / (1 - part))
        func agreement(_ logit: Double) -> Double { 1 / (1 + exp(logit)) }
        self.agreement = agreement(centre)
        interval = [agreement(centre + Self.margin), agreement(centre - Self.margin)]
    }
}
