import MartletTensors

/// Some consecutive images of a data set, prepared for a network.
public struct Batch: Sendable {
    /// `[n, C, H, W]`, float32.
    public let tensor: Tensor
    /// The labels, as many as images.
    public let labels: [Int?]
    /// The names, as many as images.
    public let names: [String]
    /// Where the images are in the data set.
    public let indices: Range<Int>

    /// A batch of these parts.
    public init(tensor: Tensor, labels: [Int?], names: [String], indices: Range<Int>) {
        self.tensor = tensor
        self.labels = labels
        self.names = names
        self.indices = indices
    }
}

/// Reads, decodes and prepares the images of a data set on threads of its own, ahead of whoever asks for them.
///
/// Batches come in order and do not depend on the number of threads. All images of a run must come out in one shape.
public final class BatchLoader {
    private let work: DecodingWork
    private let expected: [Int?]?
    private var shape: Shape?
    private let threads: DecodingThreads

    /// A loader over all of `dataSet`.
    /// - Parameters:
    ///   - batchSize: images a batch, at least one; the last batch may have fewer.
    ///   - inputExtents: what the network takes, `[C, H, W]`, `nil` for an extent that is free; other images are errors.
    ///   - threadCount: threads that decode beside the caller; with 0 all is done inside ``next()``.
    ///   - batchesAhead: batches that are made before they are asked for, at least one; they bound the memory.
    public init(
        _ dataSet: any DataSet, preprocessing: Preprocessing, batchSize: Int, inputExtents: [Int?]? = nil,
        threadCount: Int = 1, batchesAhead: Int = 2
    ) {
        work = DecodingWork(dataSet, preprocessing, batchSize: max(1, batchSize), batchesAhead: max(1, batchesAhead))
        expected = inputExtents
        threads = DecodingThreads(work, count: max(0, threadCount))
    }

    /// Stops the threads, waiting for the images they are at.
    deinit {
        work.stop()
        threads.join()
    }

    /// The next batch, or `nil` after the last. An error belongs to the batch whose turn it was; the call after it goes
    /// on with the batch behind.
    /// - Throws: ``ImageError``, ``PreprocessingError/inputMismatch(image:output:expected:)``, `FileError`,
    ///   `TensorError`.
    public func next() throws -> Batch? {
        guard let (indices, results) = work.takeBatch() else { return nil }
        let samples = try results.map { try $0.get() }
        guard let first = samples.first else { return nil }
        let shape = shape ?? first.shape
        for sample in samples {
            if let expected { try Preprocessing.check(sample.shape, against: expected, image: sample.name) }
            try Preprocessing.check(sample.shape, against: shape.extents, image: sample.name)
        }
        self.shape = shape
        var tensor = try Tensor(zeros: Shape([samples.count] + shape.extents), elementType: .float32)
        try tensor.withMutableElements(of: Float.self) { target in
            for (i, sample) in samples.enumerated() {
                let slot = UnsafeMutableBufferPointer(
                    rebasing: target[i * shape.elementCount..<(i + 1) * shape.elementCount])
                // From pointer to pointer: from an array it would go element by element.
                sample.elements.withUnsafeBufferPointer { _ = slot.update(from: $0) }
            }
        }
        return Batch(
            tensor: tensor, labels: samples.map(\.label), names: samples.map(\.name), indices: indices)
    }
}
