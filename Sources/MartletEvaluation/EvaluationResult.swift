/// How well a network classifies.
public struct EvaluationResult: Codable, Sendable, Equatable {
    /// The images seen.
    public var images: Int
    /// The part whose label scored highest, 0 to 1; `nil` without labels. Of equal scores the lower class counts as higher.
    public var top1: Double?
    /// The part whose label is among the five highest scores.
    public var top5: Double?
    /// The interval in which the true top-1 lies with 95 % confidence (Wilson 1927), lower and upper end.
    public var top1Interval: [Double]?
    /// The mean of -log p(label), natural logarithm.
    public var loss: Double?
    /// The part on which the network and the reference give the same class first; `nil` without a reference.
    public var agreement: Double?
    /// The class that scored highest of each image, in order; `nil` unless asked for.
    public var answers: [Int]?
    /// The label of each image, if it has one; `nil` unless asked for.
    public var labels: [Int?]?

    enum CodingKeys: String, CodingKey {
        case images, top1, top5, loss, agreement, answers, labels
        case top1Interval = "top1_interval"
    }
}

/// The interval of a proportion in which the true one lies with 95 % confidence (Wilson, 1927).
public func wilsonInterval(successes: Int, trials: Int) -> (lower: Double, upper: Double) {
    if trials == 0 { return (0, 1) }
    let z = 1.959963984540054
    let n = Double(trials)
    let p = Double(successes) / n
    let center = (p + z * z / (2 * n)) / (1 + z * z / n)
    let spread = (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot() * z / (1 + z * z / n)
    // The ends are exact, whatever the rounding.
    return (successes == 0 ? 0 : center - spread, successes == trials ? 1 : center + spread)
}
