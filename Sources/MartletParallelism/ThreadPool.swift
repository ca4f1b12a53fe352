import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A team of threads that share out the indices of a loop.
///
/// The calling thread works along, so a pool of one starts no thread at all. Indices are handed out one by one, in
/// order, to whoever is free. A loop inside a loop of any pool runs on the thread it is on; loops started from several
/// threads at once take turns. Callers that want the same result for any number of threads make each index's work
/// independent of the others, and split by the problem, never by ``threadCount``.
public final class ThreadPool: Sendable {
    /// The number of threads that work on a loop, the caller's included.
    public let threadCount: Int
    private let team: Team

    /// A pool of `threadCount` threads, at least one.
    public init(threadCount: Int = ThreadPool.availableCores) {
        self.threadCount = max(1, threadCount)
        self.team = Team(helpers: self.threadCount - 1)
    }

    deinit { team.dismiss() }

    /// The number of processors this process may use.
    public static var availableCores: Int {
        ProcessInfo.processInfo.activeProcessorCount
    }

    /// Calls `body` once for each index in `0 ..< count`, and returns when all calls have.
    public func forEach(_ count: Int, _ body: (_ index: Int) -> Void) {
        forEach(count) { index, _ in body(index) }
    }

    /// Calls `body` once for each index in `0 ..< count` with the number of the thread it runs on, in
    /// `0 ..< threadCount`, for scratch memory of its own; returns when all calls have.
    public func forEach(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        if count <= 0 { return }
        if threadCount == 1 || count == 1 || Team.isInsideLoop {
            // The worker number is the loop's own: an inner loop has one worker, whatever thread it is on.
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { team.run(count, $0) }
    }

    /// Like ``forEach(_:_:)-(_,(Int)->Void)`` for work that may fail: every index is tried, and the error of the lowest
    /// one that failed is thrown.
    public func forEachThrowing(_ count: Int, _ body: (_ index: Int) throws -> Void) throws {
        let first = Mutex<(index: Int, error: any Error)?>(nil)
        forEach(count) { index in
            do {
                try body(index)
            } catch {
                first.withLock { if $0 == nil || index < $0!.index { $0 = (index, error) } }
            }
        }
        if let first = first.withLock({ $0 }) { throw first.error }
    }
}

/// The helpers of a pool and what they are told. Held apart from the pool so that its threads do not keep it alive.
private final class Team: @unchecked Sendable {
    typealias Body = (_ index: Int, _ worker: Int) -> Void

    private let turn = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let started = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let next = Atomic<Int>(0)

    // Guarded by `lock`.
    private var generation = 0
    private var count = 0
    private var body: Body?
    private var working = 0
    private var dismissed = false
    private let helpers: Int

    init(helpers: Int) {
        self.helpers = helpers
        pthread_mutex_init(turn, nil)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(started, nil)
        pthread_cond_init(finished, nil)
        for worker in 0..<helpers {
            let start = Unmanaged.passRetained(Start(team: self, worker: worker + 1))
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
                // Fewer helpers than wished for: the loop is shared by those there are.
                start.release()
                continue
            }
            #if canImport(Darwin)
                if let thread { pthread_detach(thread) }
            #else
                pthread_detach(thread)
            #endif
        }
    }

    deinit {
        pthread_mutex_destroy(turn)
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(started)
        pthread_cond_destroy(finished)
        turn.deallocate()
        lock.deallocate()
        started.deallocate()
        finished.deallocate()
    }

    /// Whether this thread is inside a loop of a pool.
    static var isInsideLoop: Bool { pthread_getspecific(insideLoop) != nil }

    private static let insideLoop: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    func run(_ count: Int, _ body: @escaping Body) {
        pthread_mutex_lock(turn)
        pthread_mutex_lock(lock)
        next.store(0, ordering: .relaxed)
        self.count = count
        self.body = body
        generation += 1
        pthread_cond_broadcast(started)
        pthread_mutex_unlock(lock)

        share(count, body, as: 0)

        pthread_mutex_lock(lock)
        // A helper that wakes after this finds no body and goes back to sleep.
        self.body = nil
        while working > 0 { pthread_cond_wait(finished, lock) }
        pthread_mutex_unlock(lock)
        pthread_mutex_unlock(turn)
    }

    func dismiss() {
        pthread_mutex_lock(lock)
        dismissed = true
        pthread_cond_broadcast(started)
        pthread_mutex_unlock(lock)
    }

    private func work(as worker: Int) {
        var seen = 0
        pthread_mutex_lock(lock)
        while !dismissed {
            if generation != seen, let body {
                seen = generation
                let count = self.count
                working += 1
                pthread_mutex_unlock(lock)
                share(count, body, as: worker)
                pthread_mutex_lock(lock)
                working -= 1
                if working == 0 { pthread_cond_signal(finished) }
            } else {
                pthread_cond_wait(started, lock)
            }
        }
        pthread_mutex_unlock(lock)
    }

    private func share(_ count: Int, _ body: Body, as worker: Int) {
        pthread_setspecific(Team.insideLoop, UnsafeRawPointer(bitPattern: 1))
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count { break }
            body(index, worker)
        }
        pthread_setspecific(Team.insideLoop, nil)
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
