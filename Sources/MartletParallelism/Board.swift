import Synchronization

/// The memory that the threads of a team share, laid out for few transfers of cache lines between processors: each
/// takes up to a fifth of a microsecond, and they are what a short loop costs.
struct Board: @unchecked Sendable {
    /// A loop as its helpers see it.
    struct Loop {
        let count: Int
        let body: Team.Body
    }

    /// The ``TeamState``. A helper that joins gets the counter and the loop in the same line.
    let state: UnsafeMutablePointer<Atomic<UInt32>>
    /// How many indices have been handed out: those from the first on in the lower half, those from the last back in the upper.
    let taken: UnsafeMutablePointer<Atomic<UInt64>>
    /// Written by the caller while no helper is joined, read by helpers that are.
    let loop: UnsafeMutablePointer<Loop>
    /// Helpers that sleep, or are about to, or have not run yet since they were woken. Two lines further, because
    /// processors fetch lines in pairs.
    let sleepers: UnsafeMutablePointer<Atomic<Int>>
    /// Whether threads are to sleep at once instead of spinning.
    let sleepsAtOnce: UnsafeMutablePointer<Atomic<Bool>>
    /// Where each thread was last seen at work, by worker number: ``Processor/current``, written at the beginning of a
    /// loop if it has changed, and ``Processor/unknown`` for helpers asleep. A hint for ``Spin``.
    let processors: UnsafeMutablePointer<Atomic<Int32>>

    private let memory: UnsafeMutableRawPointer

    init(threads: Int) {
        memory = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 128)
        state = memory.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        taken = (memory + 8).bindMemory(to: Atomic<UInt64>.self, capacity: 1)
        loop = (memory + 16).bindMemory(to: Loop.self, capacity: 1)
        sleepers = (memory + 128).bindMemory(to: Atomic<Int>.self, capacity: 1)
        sleepsAtOnce = (memory + 136).bindMemory(to: Atomic<Bool>.self, capacity: 1)
        processors = UnsafeMutablePointer.allocate(capacity: threads)
        state.initialize(to: Atomic(0))
        taken.initialize(to: Atomic(0))
        sleepers.initialize(to: Atomic(0))
        sleepsAtOnce.initialize(to: Atomic(false))
        for worker in 0..<threads { (processors + worker).initialize(to: Atomic(Processor.unknown)) }
    }

    func deallocate() {
        memory.deallocate()
        processors.deallocate()
    }

    /// Most indices of a loop, so that both halves of ``taken`` hold it and what is asked for in vain.
    static let maximumCount = 1 << 31

    /// Opens a loop, of which the caller has the first index.
    func describe(count: Int, body: @escaping Team.Body) {
        loop.initialize(to: Loop(count: count, body: body))
        // The caller takes the first index without asking, and leaves the line to the helpers.
        taken.pointee.store(1, ordering: .relaxed)
    }

    /// Hands out indices to this thread until there are no more: the caller's from the first on, those of helpers from the last
    /// back.
    ///
    /// Loops that follow each other mostly go through the same rows of an image: each thread finds in its cache what it wrote.
    func share(as worker: Int) {
        let loop = self.loop.pointee
        let isCaller = worker == 0
        var before = isCaller ? 0 : taken.pointee.wrappingAdd(1 << 32, ordering: .relaxed).oldValue
        while true {
            let (first, last) = (Int(before & 0xffff_ffff), Int(before >> 32))
            if first + last >= loop.count { break }
            loop.body(isCaller ? first : loop.count - 1 - last, worker)
            // Nobody need ask for what follows the last index.
            if first + last == loop.count - 1 { break }
            before = taken.pointee.wrappingAdd(isCaller ? 1 : 1 << 32, ordering: .relaxed).oldValue
        }
    }

    func noteProcessor(of worker: Int) {
        let current = Processor.current
        if processors[worker].load(ordering: .relaxed) != current {
            processors[worker].store(current, ordering: .relaxed)
        }
    }

    /// Whether a helper that runs on `processor` should not spin until the caller has a loop for it.
    func helperIsInTheWay(on processor: Int32) -> Bool {
        sleepsAtOnce.pointee.load(ordering: .relaxed) || sharesProcessor(processor)
    }

    /// Whether a helper that runs on `processor` is on that of the caller.
    func sharesProcessor(_ processor: Int32) -> Bool {
        processor != Processor.unknown && processors[0].load(ordering: .relaxed) == processor
    }

    /// Whether a caller that runs on `processor` should not spin until the helpers are done.
    func callerIsInTheWay(on processor: Int32, of helpers: Int) -> Bool {
        if sleepsAtOnce.pointee.load(ordering: .relaxed) { return true }
        return processor != Processor.unknown
            && (1..<helpers + 1).contains { processors[$0].load(ordering: .relaxed) == processor }
    }
}
