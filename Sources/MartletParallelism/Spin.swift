import CMartletFutex
import Synchronization

/// A wait in a loop, for what should come within microseconds: shorter than going to sleep and being woken.
///
/// It ends by itself after ``limit``, and early where it would keep away what it waits for: when this process has more
/// threads awake for loops than there are processors, or when whoever waits says so.
struct Spin {
    /// Nanoseconds. A fork and join by sleeping costs about 10 microseconds on an idle machine; between two layers of a
    /// network lie a few at most.
    static let limit: UInt64 = 40_000

    private static let pausesBetweenLooks = 16

    private var pauses = 0
    private var deadline: UInt64 = 0

    /// Waits for the length of a pause; false if it is time to sleep instead.
    ///
    /// `isInTheWay` says whether a thread that spins on the given processor keeps it from the one that it waits for.
    mutating func pause(isInTheWay: (_ processor: Int32) -> Bool) -> Bool {
        // What comes at once costs no look at anything.
        if pauses % Spin.pausesBetweenLooks == Spin.pausesBetweenLooks - 1 {
            if Crowd.fillsProcessors || isInTheWay(Processor.current) { return false }
            let now = Clock.now
            if deadline == 0 { deadline = now + Spin.limit }
            if now >= deadline { return false }
        }
        pauses += 1
        martlet_pause()
        return true
    }
}

/// How many helpers of this process do not sleep, over all pools. A hint for ``Spin``; nothing else depends on it.
///
/// Callers are not counted, for they would have to write here in every loop: that there is at least one is assumed.
enum Crowd {
    private static let awake = Atomic<Int>(0)
    private static let processors = ThreadPool.availableCores

    static var fillsProcessors: Bool { awake.load(ordering: .relaxed) >= processors }

    static func enter() { awake.wrappingAdd(1, ordering: .relaxed) }
    static func leave() { awake.wrappingSubtract(1, ordering: .relaxed) }
}
