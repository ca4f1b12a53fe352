import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A team of threads that share out the indices of a loop.
///
/// The calling thread works along, so a pool of one starts no thread at all. Indices are handed out one by one to whoever is
/// free: to the caller from the first on, to the others from the last back, so that in loops over the same places most of what
/// a thread reads is what it wrote before. A loop inside a loop of any pool runs on the thread it is on; loops started from several
/// threads at once take turns. Callers that want the same result for any number of threads make each index's work
/// independent of the others, and split by the problem, never by ``threadCount``.
///
/// Threads wait for the next loop, or for the end of one, by looking again and again for some microseconds and then
/// asleep: loops that follow each other closely cost a fraction of a microsecond each, and an idle pool costs nothing.
/// A loop waits only for helpers that have begun to work on it, so on a busy machine it goes on without those that the
/// system does not let run. An index is finished by the thread that took it: many short indices suffer less from a
/// busy machine than few long ones.
public final class ThreadPool: Sendable {
    /// The number of threads that work on a loop, the caller's included.
    public let threadCount: Int
    private let team: Team

    /// The most threads a pool has, whatever is asked for.
    public static let maximumThreadCount = 1 + TeamState.maximumHelpers

    /// A pool of `threadCount` threads, at least one and at most ``maximumThreadCount``.
    public init(threadCount: Int = ThreadPool.availableCores) {
        self.threadCount = min(max(1, threadCount), ThreadPool.maximumThreadCount)
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
        let part = min(count, Board.maximumCount)
        withoutActuallyEscaping(body) { team.run(part, $0) }
        if part < count { forEach(count - part) { index, worker in body(part + index, worker) } }
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
