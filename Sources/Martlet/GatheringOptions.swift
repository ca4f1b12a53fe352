import Foundation
import MartletImages
import MartletStatistics

/// What may be chosen about gathering Sigma.
public struct GatheringOptions: Sendable {
    /// Which of as many parts of the images to use, counted from 1; all of them unless told.
    public var shard: (index: Int, count: Int)?
    /// Bytes of memory that the run may take; where that is less than all layers take at once, the images are gone over
    /// several times.
    public var memory: Int?
    /// Stop when the second moments of the two halves of the images seen differ by less than this, in every layer,
    /// relative to the moment. The images then come in a random order.
    public var until: Double?
    /// The seed of that order.
    public var seed: UInt64 = 0
    /// Where sums are put by while the run lasts; nowhere unless told. Passes put theirs beside it.
    public var checkpoint: String?
    /// Seconds between two checkpoints.
    public var checkpointInterval = 180.0
    /// Whether to go on from the checkpoint, if there is one.
    public var resumes = false
    /// The form of the sums; for each layer the cheapest unless told.
    public var form: MomentForm?
    /// Asked after every step; when it says yes, the run writes a checkpoint and throws ``GatheringInterrupted``.
    public var shouldStop: @Sendable () -> Bool = { false }

    /// The defaults.
    public init() {}

    /// Removes the checkpoint and what passes put beside it, once the statistics are where they belong.
    public func removeLeftovers(passes: Int) {
        guard let checkpoint else { return }
        for path in [checkpoint] + (1...max(1, passes)).map({ "\(checkpoint).pass\($0)" }) {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

/// A run that was stopped before its end.
public struct GatheringInterrupted: MartletError {
    /// The images seen in the pass at hand.
    public let done: Int
    /// The images there are.
    public let total: Int
    /// Where the sums are.
    public let checkpoint: String?

    public var description: String { "interrupted after \(done) of \(total) images" }
    public var remedy: String? {
        checkpoint.map { "the sums so far are in \($0): the same command with --resume goes on from there" }
    }
}

/// Gathered statistics, and how the run went.
public struct GatheringResult: Sendable {
    /// The moments.
    public var statistics: Statistics
    /// How far the second moments of two halves of the images are apart, by layer; `nil` for less than two whole steps of
    /// images.
    public var changes: [String: Double]?
    /// How often the images were gone over.
    public var passes: Int
    /// Whether the run ended before the images did, for it had seen enough.
    public var hadEnough: Bool
    /// The bytes that the run was expected to take.
    public var expectedBytes: Int
}
