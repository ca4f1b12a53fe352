import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// A network made ready to run forward and backward on inputs of certain shapes.
final class TrainingPlan {
    let inputs: [(name: String, operand: Operand)]
    let outputs: [(name: String, operand: Operand, gradient: UnsafeMutablePointer<Float>?)]
    private let steps: [any DifferentiableStep]
    private let arena: Arena
    private let scratch: Arena
    private let sharedBytes: Int
    private let scratchStride: Int
    /// Constants that steps point into.
    private let constants: [Tensor]
    private let pool: ThreadPool

    init(
        inputs: [(name: String, operand: Operand)],
        outputs: [(name: String, operand: Operand, gradient: UnsafeMutablePointer<Float>?)],
        steps: [any DifferentiableStep], arena: Arena, constants: [Tensor], pool: ThreadPool
    ) throws {
        self.inputs = inputs
        self.outputs = outputs
        self.steps = steps
        self.arena = arena
        self.constants = constants
        self.pool = pool
        sharedBytes = Arena.padded(steps.map(\.sharedBytes).max() ?? 0)
        // A line more: threads' memory at the same place of every page would meet in the cache.
        scratchStride = Arena.padded(steps.map(\.scratchBytes).max() ?? 0) + Arena.alignment
        let all = try CheckedArithmetic.product([scratchStride, pool.threadCount])
        scratch = try Arena(byteCount: CheckedArithmetic.sum([sharedBytes, all]))
    }

    /// The bytes of memory the plan holds.
    var peakBytes: Int { arena.byteCount + scratch.byteCount }

    private func context(_ observer: (any GradientObserver)?) -> TrainingContext {
        TrainingContext(
            pool: pool, shared: scratch.base, scratch: scratch.base + sharedBytes, scratchStride: scratchStride,
            observer: observer)
    }

    func forward() {
        let context = context(nil)
        for step in steps { step.forward(context) }
    }

    func backward(_ observer: (any GradientObserver)?) {
        let context = context(observer)
        for step in steps.reversed() { step.backward(context) }
    }
}
