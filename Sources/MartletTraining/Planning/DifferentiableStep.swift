import MartletParallelism

/// One node of a plan, ready to run forward and backward.
protocol DifferentiableStep: AnyObject {
    /// Bytes of scratch memory each thread needs.
    var scratchBytes: Int { get }
    /// Bytes of scratch memory the step needs as a whole.
    var sharedBytes: Int { get }
    /// Computes the outputs.
    func forward(_ context: TrainingContext)
    /// Computes the gradients by inputs and parameters from those by the outputs, which it may overwrite.
    func backward(_ context: TrainingContext)
}

extension DifferentiableStep {
    var scratchBytes: Int { 0 }
    var sharedBytes: Int { 0 }
}

/// What a step runs with.
struct TrainingContext {
    /// The threads that share the work.
    let pool: ThreadPool
    /// Scratch memory of the step as a whole.
    let shared: UnsafeMutableRawPointer
    /// Scratch memory of the threads.
    let scratch: UnsafeMutableRawPointer
    /// The distance between two threads' scratch memory.
    let scratchStride: Int
    /// Is shown gradients by layers' outputs.
    let observer: (any GradientObserver)?

    /// The scratch memory of one thread.
    func scratch(worker: Int) -> UnsafeMutableRawPointer { scratch + worker * scratchStride }

    /// The scratch memory of one thread.
    func floats(worker: Int) -> UnsafeMutablePointer<Float> {
        scratch(worker: worker).assumingMemoryBound(to: Float.self)
    }

    /// The step's scratch memory.
    var sharedFloats: UnsafeMutablePointer<Float> { shared.assumingMemoryBound(to: Float.self) }
}

/// A value in memory: float32, row-major.
struct Operand {
    let base: UnsafeMutablePointer<Float>
    let extents: [Int]

    /// The number of elements.
    var count: Int { extents.reduce(1, *) }
    /// The elements of one index of the first axis.
    var countOfImage: Int { extents.dropFirst().reduce(1, *) }

    /// The distance in elements between neighbours along each axis.
    var strides: [Int] {
        var strides = [Int](repeating: 1, count: extents.count)
        for axis in extents.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * extents[axis + 1] }
        return strides
    }
}

/// Where a gradient goes.
struct GradientTarget {
    let base: UnsafeMutablePointer<Float>
    /// Whether there is a part of it already, to be added to.
    let accumulates: Bool
}
