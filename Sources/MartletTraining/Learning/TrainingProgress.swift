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
    /// The mean cross-entropy of the answers on the images held back, `nil` if there are none.
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

/// How good a network's answers are on images.
public struct TrainingScore: Codable, Hashable, Sendable {
    /// The mean cross-entropy.
    public var loss: Double
    /// The part of right answers.
    public var accuracy: Double

    /// A score.
    public init(loss: Double, accuracy: Double) {
        self.loss = loss
        self.accuracy = accuracy
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
    /// How good the network was on the images held back before it learned anything; `nil` if there are none, or if it began
    /// with random parameters.
    public var before: TrainingScore?
    /// How good the network that was kept is on them; `nil` where `before` is.
    public var after: TrainingScore?
    /// All passes.
    public var epochs: [TrainingEpoch]
    /// The peak of the learning rate whose network was kept; `nil` if none was better than what it began with, which is
    /// then what it still is.
    public var learningRate: Double?
}
