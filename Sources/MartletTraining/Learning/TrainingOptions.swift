/// What a network is to learn.
public enum Objective: String, Sendable, CaseIterable, Codable {
    /// The right answers, or those of a teacher.
    case answers
    /// What each layer of a teacher puts out: the mean over layers of `|y - t|^2 / |t|^2`.
    case layers
}

/// How a network is trained.
public struct TrainingOptions: Codable, Hashable, Sendable {
    /// What is learned.
    public var objective = Objective.answers
    /// Passes over the images.
    public var epochs = 10
    /// Images of a step.
    public var batchSize = 64
    /// How parameters follow their gradients.
    public var optimization = Optimization.adam
    /// Peaks of the learning rate, each tried from the same beginning; the best on the images held back is kept.
    public var learningRates = [1e-5, 1e-4, 1e-3]
    /// What a step takes off weights, relative to the learning rate.
    public var weightDecay = 0.0
    /// The part of each label's probability that is spread evenly over all classes.
    public var smoothing = 0.0
    /// What is done to images.
    public var augmentation = Augmentation(mirrors: true, shift: 0)
    /// The part of the images that nothing is learned from.
    public var heldBack = 0.1
    /// Whether parameters are drawn at random at the beginning, and batch normalisations go by the batch.
    public var startsAnew = false
    /// The source of all randomness.
    public var seed: UInt64 = 0

    /// The defaults.
    public init() {}
}
