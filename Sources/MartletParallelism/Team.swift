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

    private let board: Board
    private let parking = ParkingPlace()
    /// Held by the caller whose loop it is. A mutex of the system's, because a thread may wait long for it.
    private let turn = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Used by the caller whose turn it is.
    private var restraint = Restraint()
    /// The clocks of the helpers' time on processors, one for each of at most ``TeamState/maximumHelpers``.
    private var clocks: [clockid_t] = []
    private var helpers: Int { clocks.count }

    init(helpers: Int) {
        board = Board(threads: helpers + 1)
        pthread_mutex_init(turn, nil)
        // Fewer helpers than wished for share a loop as well: the system may allow no more threads.
        while self.helpers < helpers, startHelper(worker: self.helpers + 1) {}
    }

    deinit {
        pthread_mutex_destroy(turn)
        turn.deallocate()
        board.deallocate()
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
        let beginning = Clock.now
        restraint.note(beginning: beginning)
        let sleepsAtOnce = restraint.sleepsAtOnce(at: beginning)
        if board.sleepsAtOnce.pointee.load(ordering: .relaxed) != sleepsAtOnce {
            board.sleepsAtOnce.pointee.store(sleepsAtOnce, ordering: .relaxed)
        }
        board.describe(count: count, body: body)
        let places = restraint.worksAlone(at: beginning) ? 0 : min(count - 1, helpers)
        // Sequentially consistent, like the load of `sleepers` after it: see `sleep`.
        board.state.pointee.wrappingAdd(TeamState.opening(places: places).word, ordering: .sequentiallyConsistent)
        let awake = helpers - board.sleepers.pointee.load(ordering: .sequentiallyConsistent)
        if places > 0 { restraint.note(wakes: awake < places) }
        if awake < places {
            parking.wake(board.state, count: places - awake, .helper)
        }

        board.noteProcessor(of: 0)
        pthread_setspecific(Team.insideLoop, UnsafeRawPointer(bitPattern: 1))
        board.share(as: 0)
        pthread_setspecific(Team.insideLoop, nil)
        waitForHelpers(since: beginning)
        board.loop.deinitialize(count: 1)
        pthread_mutex_unlock(turn)
    }

    /// Closes the loop and returns when every helper that joined has left.
    private func waitForHelpers(since beginning: UInt64) {
        let board = self.board
        let closed = ~TeamState.everyPlace.word
        var now = TeamState(word: board.state.pointee.bitwiseAnd(closed, ordering: .acquiringAndReleasing).newValue)
        var spin = Spin()
        while now.joined > 0 {
            if spin.pause(isInTheWay: { board.callerIsInTheWay(on: $0, of: helpers) }) {
                now = TeamState(word: board.state.pointee.load(ordering: .acquiring))
                continue
            }
            let pause = Clock.now
            let used = Clock.time(spentBy: clocks)
            // The last to leave either sees this bit and wakes the caller, or has left before it was set.
            let asleep = TeamState.callerSleeps.word
            now = TeamState(word: board.state.pointee.bitwiseOr(asleep, ordering: .acquiringAndReleasing).newValue)
            while now.joined > 0 {
                parking.sleep(board.state, whileEqualTo: now.word, as: .caller)
                now = TeamState(word: board.state.pointee.load(ordering: .acquiring))
            }
            board.state.pointee.bitwiseAnd(~asleep, ordering: .relaxed)
            restraint.note(
                loopFrom: beginning, callerAsleepFrom: pause, to: Clock.now, used: Clock.time(spentBy: clocks) - used)
        }
    }

    /// Sends the helpers home, once they are done with what they do.
    func dismiss() {
        board.state.pointee.bitwiseOr(TeamState.dismissed.word, ordering: .sequentiallyConsistent)
        parking.wake(board.state, count: helpers, .helper)
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
            guard let thread else { return false }
        #endif
        clocks.append(Clock.spending(of: thread))
        pthread_detach(thread)
        return true
    }

    private func work(as worker: Int) {
        pthread_setspecific(Team.insideLoop, UnsafeRawPointer(bitPattern: 1))
        Crowd.enter()
        while join(as: worker) {
            board.noteProcessor(of: worker)
            board.share(as: worker)
            leave()
        }
        Crowd.leave()
    }

    /// Waits for a loop with a free place and takes it; false if the team is dismissed.
    private func join(as worker: Int) -> Bool {
        let board = self.board
        var spin = Spin()
        var mayMove = true
        var now = TeamState(word: board.state.pointee.load(ordering: .relaxed))
        var seen = now.loop
        while !now.isDismissed {
            if now.loop != seen {
                // Whether there is still a place or not: where loops follow each other, it pays to look on.
                seen = now.loop
                spin = Spin()
            }
            if now.places > 0 {
                let exchange = board.state.pointee.weakCompareExchange(
                    expected: now.word, desired: now.afterJoining.word, successOrdering: .acquiring,
                    failureOrdering: .relaxed)
                if exchange.exchanged { return true }
                now = TeamState(word: exchange.original)
            } else if spin.pause(isInTheWay: { board.helperIsInTheWay(on: $0) }) {
                now = TeamState(word: board.state.pointee.load(ordering: .relaxed))
            } else if mayMove, board.sharesProcessor(Processor.current) {
                // The system may leave a helper where its caller is for as long as both are short of work by turns.
                Processor.leave(Processor.current)
                mayMove = false
                spin = Spin()
            } else {
                // A stale address would keep the caller from spinning for others.
                board.processors[worker].store(Processor.unknown, ordering: .relaxed)
                sleep()
                spin = Spin()
                mayMove = true
                now = TeamState(word: board.state.pointee.load(ordering: .relaxed))
            }
        }
        return false
    }

    /// Sleeps until a loop begins or the team is dismissed; may return for no reason.
    private func sleep() {
        Crowd.leave()
        // Announce, then look again; the caller opens the loop, then looks for sleepers. All four are sequentially
        // consistent, so one of the two sees the other: no loop begins with a helper asleep whom nobody wakes.
        board.sleepers.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        let now = TeamState(word: board.state.pointee.load(ordering: .sequentiallyConsistent))
        if now.places == 0, !now.isDismissed { parking.sleep(board.state, whileEqualTo: now.word, as: .helper) }
        board.sleepers.pointee.wrappingSubtract(1, ordering: .relaxed)
        Crowd.enter()
    }

    private func leave() {
        var now = TeamState(word: board.state.pointee.load(ordering: .relaxed))
        while true {
            let exchange = board.state.pointee.weakCompareExchange(
                expected: now.word, desired: now.afterLeaving.word, successOrdering: .acquiringAndReleasing,
                failureOrdering: .relaxed)
            if exchange.exchanged { break }
            now = TeamState(word: exchange.original)
        }
        // From here on the loop may be over and its caller gone. The team is not: this thread holds it.
        if now.afterLeaving.callerMustBeWoken { parking.wake(board.state, count: 1, .caller) }
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
