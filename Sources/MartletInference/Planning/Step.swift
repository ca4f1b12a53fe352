import MartletParallelism
import MartletTensors

/// One node of a plan, ready to run: an algorithm with its operands in memory.
protocol Step {
    /// What it does, in a word or two, for who looks at a profile; empty where the operator's name says it.
    var algorithm: String { get }
    /// Bytes of scratch memory each thread needs.
    var scratchBytes: Int { get }
    /// Bytes of scratch memory the step needs as a whole.
    var sharedBytes: Int { get }
    /// Computes the outputs.
    func run(_ context: StepContext) throws
}

extension Step {
    var algorithm: String { "" }
    var scratchBytes: Int { 0 }
    var sharedBytes: Int { 0 }
}

/// What a step runs with.
struct StepContext {
    /// The threads that share the work.
    let pool: ThreadPool
    /// Scratch memory of the step as a whole.
    let shared: UnsafeMutableRawPointer
    /// Scratch memory of the threads.
    let scratch: UnsafeMutableRawPointer
    /// The distance between two threads' scratch memory.
    let scratchStride: Int

    /// The scratch memory of one thread.
    func floats(worker: Int) -> UnsafeMutablePointer<Float> {
        (scratch + worker * scratchStride).assumingMemoryBound(to: Float.self)
    }

    /// The scratch memory of one thread, as int32.
    func integers(worker: Int) -> UnsafeMutablePointer<Int32> {
        (scratch + worker * scratchStride).assumingMemoryBound(to: Int32.self)
    }

    /// The scratch memory of one thread, as bytes.
    func bytes(worker: Int) -> UnsafeMutablePointer<UInt8> {
        (scratch + worker * scratchStride).assumingMemoryBound(to: UInt8.self)
    }

    /// The step's scratch memory.
    var sharedFloats: UnsafeMutablePointer<Float> { shared.assumingMemoryBound(to: Float.self) }

    /// Calls `body` for each index in `0 ..< count`, on this thread alone or shared out.
    func forEach(_ count: Int, alone: Bool, _ body: (_ index: Int) -> Void) {
        if alone {
            for index in 0..<count { body(index) }
        } else {
            pool.forEach(count, body)
        }
    }

    /// Calls `body` for consecutive parts of `0 ..< count`, each of `size` elements but the last.
    func forEachPart(of count: Int, size: Int, _ body: (_ part: Range<Int>) -> Void) {
        pool.forEach((count + size - 1) / size) { index in
            body(index * size..<min(count, (index + 1) * size))
        }
    }
}

extension TensorView {
    /// The first of the elements, which are float32: the planner has seen to it.
    var floats: UnsafePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

extension MutableTensorView {
    /// The first of the elements, which are float32: the planner has seen to it.
    var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
