import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The helpers of a pool and what they are told. Held apart from the pool so that its threads do not keep it alive.
///
/// A loop is one word that opens with places for helpers (``TeamState``), a counter that hands out the indices, and the
/// description of the loop. The caller works along, closes the places when no index is left, and waits for those who
/// joined and for nobody else: a helper that the system did not let run costs the loop nothing. Threads that wait do so
/// in a short ``Spin`` and then asleep in the kernel.
///
/// Order of memory: the caller writes the description and resets the counter before it opens the loop (release), and a
/// helper reads them after it joined (acquire). A helper's leaving (release) hands its results to the caller, which
/// sees nobody joined any more (acquire) before it returns or describes another loop. All changes of the word are
/// exchanges, so each continues the release sequence of those before it. The counter only shares out indices: relaxed.
final class Team: @unchecked Sendable {
    typealias Body = (_ index: Int, _ worker: Int) -> Void

    private struct Loop {
        let count: Int
        let body: UnsafePointer<Body>
    }

    /// One block, so that a helper that joins gets all of the loop with one cache line. The number of sleepers lies two
    /// lines further (processors fetch lines in pairs).
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 128)
    private let state: UnsafeMutablePointer<Atomic<UInt32>>
    private let next: UnsafeMutablePointer<Atomic<Int>>
    /// Written by the caller while no helper is joined, read by helpers that are.
    private let loop: UnsafeMutablePointer<Loop>
    /// Where each thread was last seen at work, by worker number: ``Processor/current``, written at the beginning of a
    /// loop if it has changed, and ``Processor/unknown`` for helpers asleep. A hint for ``Spin``.
    private let processors: UnsafeMutablePointer<Atomic<Int32>>
    /// Helpers that sleep, or are about to, or have not run yet since they were woken.
    private let sleepers: UnsafeMutablePointer<Atomic<Int>>
    private let parking = ParkingPlace()
    /// Held by the caller whose loop it is. A mutex of the system's, because a thread may wait long for it.
    private let turn = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Used by the caller whose turn it is.
    private var restraint = Restraint()
    /// How many helpers there are, at most ``TeamState/maximumHelpers``.
    private var helpers = 0

    init(helpers: Int) {
        state = memory.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        next = (memory + 8).bindMemory(to: Atomic<Int>.self, capacity: 1)
        loop = (memory + 16).bindMemory(to: Loop.self, capacity: 1)
        sleepers = (memory + 128).bindMemory(to: Atomic<Int>.self, capacity: 1)
        state.initialize(to: Atomic(0))
        next.initialize(to: Atomic(0))
        sleepers.initialize(to: Atomic(0))
        processors = UnsafeMutablePointer.allocate(capacity: helpers + 1)
        for worker in 0...helpers { (processors + worker).initialize(to: Atomic(Processor.unknown)) }
        pthread_mutex_init(turn, nil)
        // Fewer helpers than wished for share a loop as well: the system may allow no more threads.
        while self.helpers < helpers, startHelper(worker: self.helpers + 1) { self.helpers += 1 }
    }

    deinit {
        pthread_mutex_destroy(turn)
        turn.deallocate()
        memory.deallocate()
        processors.deallocate()
    }

    /// Whether this thread is inside a loop of a pool.
    static var isInsideLoop: Bool { pthread_getspecific(insideLoop) != nil }

    private static let insideLoop: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    // MARK: The caller

    /// Runs a loop of at least two indices and returns when all calls have.
    func run(_ count: Int, _ body: @escaping Body) {
        pthread_mutex_lock(turn)
        Crowd.enter()
        let beginning = Clock.now
        withUnsafePointer(to: body) { body in
            loop.initialize(to: Loop(count: count, body: body))
            next.pointee.store(0, ordering: .relaxed)
            let places = restraint.worksAlone(at: beginning) ? 0 : min(count - 1, helpers)
            // Sequentially consistent, like the load of `sleepers` after it: see `sleep`.
            state.pointee.wrappingAdd(TeamState.places(places).word, ordering: .sequentiallyConsistent)
            let awake = helpers - sleepers.pointee.load(ordering: .sequentiallyConsistent)
            if awake < places { parking.wake(state, count: places - awake, .helper) }

            noteProcessor(of: 0)
            pthread_setspecific(Team.insideLoop, UnsafeRawPointer(bitPattern: 1))
            share(as: 0)
            pthread_setspecific(Team.insideLoop, nil)
            waitForHelpers(since: beginning)
        }
        Crowd.leave()
        pthread_mutex_unlock(turn)
    }

    /// Closes the loop and returns when every helper that joined has left.
    private func waitForHelpers(since beginning: UInt64) {
        let closed = ~TeamState.everyPlace.word
        var now = TeamState(word: state.pointee.bitwiseAnd(closed, ordering: .acquiringAndReleasing).newValue)
        var spin = Spin()
        while now.joined > 0 {
            if spin.pause(isInTheWay: isHelper(on:)) {
                now = TeamState(word: state.pointee.load(ordering: .acquiring))
                continue
            }
            let pause = Clock.now
            let used = Clock.processTime
            // The last to leave either sees this bit and wakes the caller, or has left before it was set.
            let asleep = TeamState.callerSleeps.word
            now = TeamState(word: state.pointee.bitwiseOr(asleep, ordering: .acquiringAndReleasing).newValue)
            while now.joined > 0 {
                parking.sleep(state, whileEqualTo: now.word, as: .caller)
                now = TeamState(word: state.pointee.load(ordering: .acquiring))
            }
            state.pointee.bitwiseAnd(~asleep, ordering: .relaxed)
            restraint.note(
                loopFrom: beginning, callerAsleepFrom: pause, to: Clock.now, used: Clock.processTime - used)
        }
    }

    /// Sends the helpers home, once they are done with what they do.
    func dismiss() {
        state.pointee.bitwiseOr(TeamState.dismissed.word, ordering: .sequentiallyConsistent)
        parking.wake(state, count: helpers, .helper)
    }

    // MARK: The helpers

    private func startHelper(worker: Int) -> Bool {
        let start = Unmanaged.passRetained(Start(team: self, worker: worker))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let failure = pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Darwin)
                    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                #else
                    let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                #endif
                start.team.work(as: start.worker)
                return nil
            }, start.toOpaque())
        if failure != 0 {
            start.release()
            return false
        }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
        return true
    }

    private func work(as worker: Int) {
        pthread_setspecific(Team.insideLoop, UnsafeRawPointer(bitPattern: 1))
        Crowd.enter()
        while join(as: worker) {
            noteProcessor(of: worker)
            share(as: worker)
            leave()
        }
        Crowd.leave()
    }

    /// Waits for a loop with a free place and takes it; false if the team is dismissed.
    private func join(as worker: Int) -> Bool {
        var spin = Spin()
        var now = TeamState(word: state.pointee.load(ordering: .relaxed))
        while !now.isDismissed {
            if now.places > 0 {
                let exchange = state.pointee.weakCompareExchange(
                    expected: now.word, desired: now.afterJoining.word, successOrdering: .acquiring,
                    failureOrdering: .relaxed)
                if exchange.exchanged { return true }
                now = TeamState(word: exchange.original)
            } else if spin.pause(isInTheWay: isCaller(on:)) {
                now = TeamState(word: state.pointee.load(ordering: .relaxed))
            } else {
                // A stale address would keep the caller from spinning for others.
                processors[worker].store(Processor.unknown, ordering: .relaxed)
                sleep()
                spin = Spin()
                now = TeamState(word: state.pointee.load(ordering: .relaxed))
            }
        }
        return false
    }

    /// Sleeps until a loop begins or the team is dismissed; may return for no reason.
    private func sleep() {
        Crowd.leave()
        // Announce, then look again; the caller opens the loop, then looks for sleepers. All four are sequentially
        // consistent, so one of the two sees the other: no loop begins with a helper asleep whom nobody wakes.
        sleepers.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        let now = TeamState(word: state.pointee.load(ordering: .sequentiallyConsistent))
        if now.places == 0, !now.isDismissed { parking.sleep(state, whileEqualTo: now.word, as: .helper) }
        sleepers.pointee.wrappingSubtract(1, ordering: .relaxed)
        Crowd.enter()
    }

    private func leave() {
        var now = TeamState(word: state.pointee.load(ordering: .relaxed))
        while true {
            let exchange = state.pointee.weakCompareExchange(
                expected: now.word, desired: now.afterLeaving.word, successOrdering: .acquiringAndReleasing,
                failureOrdering: .relaxed)
            if exchange.exchanged { break }
            now = TeamState(word: exchange.original)
        }
        // From here on the loop may be over and its caller gone. The team is not: this thread holds it.
        if now.afterLeaving.callerMustBeWoken { parking.wake(state, count: 1, .caller) }
    }

    // MARK: Both

    private func share(as worker: Int) {
        let count = loop.pointee.count
        let body = loop.pointee.body.pointee
        while true {
            let index = next.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count { break }
            body(index, worker)
        }
    }

    private func noteProcessor(of worker: Int) {
        let current = Processor.current
        if processors[worker].load(ordering: .relaxed) != current {
            processors[worker].store(current, ordering: .relaxed)
        }
    }

    private func isCaller(on processor: Int32) -> Bool {
        processor != Processor.unknown && processors[0].load(ordering: .relaxed) == processor
    }

    private func isHelper(on processor: Int32) -> Bool {
        processor != Processor.unknown
            && (0..<helpers).contains { processors[$0 + 1].load(ordering: .relaxed) == processor }
    }

    private final class Start {
        let team: Team
        let worker: Int
        init(team: Team, worker: Int) {
            self.team = team
            self.worker = worker
        }
    }
}
