/// How a network is trained.
public struct TrainingOptions: Codable, Hashable, Sendable {
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

/// What one pass over the images came to.
public struct TrainingEpoch: Codable, Hashable, Sendable {
    /// The peak of the learning rate.
    public var learningRate: Double
    /// Passes so far.
    public var epoch: Int
    /// The mean loss while learning.
    public var loss: Double
    /// The part of right answers while learning.
    public var accuracy: Double
    /// The mean loss on the images held back, `nil` if there are none.
    public var heldBackLoss: Double?
    /// The part of right answers on the images held back.
    public var heldBackAccuracy: Double?

    enum CodingKeys: String, CodingKey {
        case epoch, loss, accuracy
        case learningRate = "learning_rate"
        case heldBackLoss = "held_back_loss"
        case heldBackAccuracy = "held_back_accuracy"
    }
}

/// How far a training is.
public struct TrainingProgress: Sendable {
    /// The peak of the learning rate.
    public var learningRate: Double
    /// The pass, counted from 1.
    public var epoch: Int
    /// Steps done, in all passes with all learning rates.
    public var step: Int
    /// Steps there are.
    public var steps: Int
    /// The mean loss of this pass so far.
    public var loss: Double
    /// The part of right answers in this pass so far.
    public var accuracy: Double
    /// What the pass came to, when it is over.
    public var finished: TrainingEpoch?
}

/// What a training came to.
public struct TrainingResult: Sendable {
    /// All passes.
    public var epochs: [TrainingEpoch]
    /// The peak of the learning rate whose network was kept.
    public var learningRate: Double
}
