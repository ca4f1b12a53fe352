import MartletParallelism
import MartletTensors

/// What this machine can do at most, measured: the roofs under which every layer runs (Williams, Waterman and Patterson,
/// "Roofline", 2009).
public struct Roofline: Codable, Sendable {
    /// Thousands of millions of single-precision operations a second, a multiply-add counting as two.
    public var gigaflops: Double
    /// Thousands of millions of bytes a second read from memory that no cache holds.
    public var memoryGigabytes: Double
    /// The same from half a megabyte for each thread, which a second-level cache holds.
    public var cacheGigabytes: Double
    /// What the kernels were built for.
    public var instructionSet: String
    /// How many threads measured.
    public var threads: Int

    /// Measures for about `seconds`, on all threads of the pool at once; the best of many short trials counts.
    /// - Throws: ``InstructionSetError`` and `TensorError`.
    public init(pool: ThreadPool, seconds: Double = 1.5) throws {
        let kernels = try KernelSet.best()
        let threads = pool.threadCount
        instructionSet = kernels.instructionSet.rawValue
        self.threads = threads
        let rounds = 200_000
        gigaflops =
            Double(2 * 12 * kernels.lanes * rounds * threads) / 1e9
            * Roofline.trialsPerSecond(pool, seconds: seconds / 3) { _ in kernels.multiplyAddRounds(rounds) }
        // Larger than any last-level cache in common use, for all threads together.
        let large = try Tensor(zeros: Shape([(256 << 20) / threads / 4096 * 1024 * threads]), elementType: .float32)
        let small = try Tensor(zeros: Shape([threads * (512 << 10) / 4]), elementType: .float32)
        memoryGigabytes = try Roofline.gigabytes(large, pool, seconds: seconds / 3, kernels)
        cacheGigabytes = try Roofline.gigabytes(small, pool, seconds: seconds / 3, kernels)
    }

    private static func gigabytes(
        _ tensor: Tensor, _ pool: ThreadPool, seconds: Double, _ kernels: KernelSet
    ) throws -> Double {
        var tensor = tensor
        // Pages that were never written are all the same page of zeros.
        try tensor.withMutableElements(of: Float.self) { for i in stride(from: 0, to: $0.count, by: 512) { $0[i] = 1 } }
        let part = tensor.shape.elementCount / pool.threadCount
        let passes = max(1, (8 << 20) / part)
        let bytes = Double(passes * part * pool.threadCount * MemoryLayout<Float>.stride)
        return tensor.withElements(of: Float.self) { elements in
            guard let base = elements.baseAddress else { return 0 }
            let address = UInt(bitPattern: base)
            return bytes / 1e9
                * trialsPerSecond(pool, seconds: seconds) { worker in
                    guard let base = UnsafePointer<Float>(bitPattern: address) else { return 0 }
                    return (0..<passes).reduce(Float(0)) { sum, _ in
                        sum + kernels.readFloats(base + worker * part, count: part)
                    }
                }
        }
    }

    /// One over the time of the fastest trial, in which every thread's share is done once.
    private static func trialsPerSecond(
        _ pool: ThreadPool, seconds: Double, _ body: @Sendable (_ share: Int) -> Float
    ) -> Double {
        var best = Double.infinity
        let begin = ContinuousClock.now
        repeat {
            let start = ContinuousClock.now
            pool.forEach(pool.threadCount) { share in
                // Never true, and the compiler cannot know.
                if body(share) == -.infinity { print("") }
            }
            best = min(best, (ContinuousClock.now - start) / .seconds(1))
        } while (ContinuousClock.now - begin) / .seconds(1) < seconds
        return 1 / best
    }
}
