import MartletTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An image as a network is fed it.
struct PreparedSample: Sendable {
    let elements: [Float]
    let shape: Shape
    let label: Int?
    let name: String
}

/// What the threads of a ``BatchLoader`` have to do and have done. Images are handed out one by one in order, none
/// further than the bound ahead of the batch whose turn it is.
final class DecodingWork: @unchecked Sendable {
    private let dataSet: any DataSet
    private let preprocessing: Preprocessing
    private let batchSize: Int
    private let count: Int
    /// Images that may be begun and not taken.
    private let window: Int

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let workerMayGo = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let imageIsDone = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    // Guarded by `lock`.
    private var nextToBegin = 0
    private var nextToTake = 0
    private var done: [Int: Result<PreparedSample, any Error>] = [:]
    private var isStopped = false

    init(_ dataSet: any DataSet, _ preprocessing: Preprocessing, batchSize: Int, batchesAhead: Int) {
        self.dataSet = dataSet
        self.preprocessing = preprocessing
        self.count = dataSet.count
        self.batchSize = min(batchSize, max(1, count))
        // The batch whose turn it is, and those ahead; never more than there are images.
        let (window, overflow) = self.batchSize.multipliedReportingOverflow(by: min(batchesAhead, count) + 1)
        self.window = overflow ? count : min(window, count)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(workerMayGo, nil)
        pthread_cond_init(imageIsDone, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(workerMayGo)
        pthread_cond_destroy(imageIsDone)
        lock.deallocate()
        workerMayGo.deallocate()
        imageIsDone.deallocate()
    }

    /// Prepares images until there are no more, or nobody wants them.
    func run() {
        pthread_mutex_lock(lock)
        while !isStopped, nextToBegin < count {
            guard nextToBegin < nextToTake + window else {
                pthread_cond_wait(workerMayGo, lock)
                continue
            }
            prepareNext()
        }
        pthread_mutex_unlock(lock)
    }

    /// The images of the batch whose turn it is. Those that no thread has begun are prepared by the caller, who would
    /// otherwise only wait.
    func takeBatch() -> (indices: Range<Int>, [Result<PreparedSample, any Error>])? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        let indices = nextToTake..<min(nextToTake + batchSize, count)
        if indices.isEmpty { return nil }
        while nextToBegin < indices.upperBound { prepareNext() }
        var results: [Result<PreparedSample, any Error>] = []
        for index in indices {
            while true {
                if let result = done.removeValue(forKey: index) {
                    results.append(result)
                    break
                }
                pthread_cond_wait(imageIsDone, lock)
            }
        }
        nextToTake = indices.upperBound
        pthread_cond_broadcast(workerMayGo)
        return (indices, results)
    }

    /// Prepares the next image. The lock is held before and after, not meanwhile.
    private func prepareNext() {
        let index = nextToBegin
        nextToBegin += 1
        pthread_mutex_unlock(lock)
        let result = prepare(index)
        pthread_mutex_lock(lock)
        done[index] = result
        pthread_cond_signal(imageIsDone)
    }

    /// Lets the threads end.
    func stop() {
        pthread_mutex_lock(lock)
        isStopped = true
        pthread_cond_broadcast(workerMayGo)
        pthread_mutex_unlock(lock)
    }

    private func prepare(_ index: Int) -> Result<PreparedSample, any Error> {
        Result {
            let sample = try dataSet.sample(at: index)
            let elements = try preprocessing.apply(to: sample.image)
            let shape = try preprocessing.outputShape(width: sample.image.width, height: sample.image.height)
            return PreparedSample(elements: elements, shape: shape, label: sample.label, name: sample.name)
        }
    }
}

/// The threads of a ``BatchLoader``.
final class DecodingThreads {
    private var threads: [pthread_t] = []

    init(_ work: DecodingWork, count: Int) {
        for _ in 0..<count {
            let argument = Unmanaged.passRetained(work)
            #if canImport(Darwin)
                var thread: pthread_t?
            #else
                var thread = pthread_t()
            #endif
            let failure = pthread_create(
                &thread, nil,
                { argument in
                    #if canImport(Darwin)
                        Unmanaged<DecodingWork>.fromOpaque(argument).takeRetainedValue().run()
                    #else
                        if let argument { Unmanaged<DecodingWork>.fromOpaque(argument).takeRetainedValue().run() }
                    #endif
                    return nil
                }, argument.toOpaque())
            if failure != 0 {
                argument.release()
                continue
            }
            #if canImport(Darwin)
                if let thread { threads.append(thread) }
            #else
                threads.append(thread)
            #endif
        }
    }

    /// Waits for all threads to end.
    func join() {
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }
}
