import MartletParallelism
import MartletTensors
import Synchronization

/// A batch run image by image, as many at once as there are threads, each with a plan of its own.
struct ImageByImage {
    private let plans: [Plan]
    private let pool: ThreadPool

    /// `plans` are for one image each, one for each thread of the pool.
    init(_ plans: [Plan], pool: ThreadPool) {
        self.plans = plans
        self.pool = pool
    }

    /// The outputs for a batch, the plans' only input.
    /// - Throws: what a step throws, for the first image that it is thrown for.
    func run(_ batch: Tensor) throws -> [String: Tensor] {
        let images = batch.shape[0]
        let types = plans[0].outputTypes
        var results = try types.map {
            try Tensor(zeros: Shape([images] + $0.shape.extents.dropFirst()), elementType: $0.elementType)
        }
        let bases = try results.indices.map { index in
            // The tensors are kept below, and nobody else knows them: their memory stays where it is.
            try results[index].withUnsafeMutableBytes { Destination(base: $0.baseAddress) }
        }
        let failure = Mutex<(image: Int, error: any Error)?>(nil)
        batch.withUnsafeBytes { bytes in
            let size = bytes.count / images
            pool.forEach(images) { image, worker in
                do {
                    let input = UnsafeRawBufferPointer(rebasing: bytes[image * size..<(image + 1) * size])
                    try plans[worker].run(image: input, pool: pool) { output, view in
                        guard let base = bases[output].base, let source = view.bytes.baseAddress else { return }
                        (base + image * view.bytes.count).copyMemory(from: source, byteCount: view.bytes.count)
                    }
                } catch {
                    failure.withLock { if $0 == nil || image < $0!.image { $0 = (image, error) } }
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure.error }
        // A network may list an output twice.
        return Dictionary(zip(types.map(\.name), results)) { first, _ in first }
    }

    /// Where an output goes; images write to parts of it that do not overlap.
    private struct Destination: @unchecked Sendable { let base: UnsafeMutableRawPointer? }
}
