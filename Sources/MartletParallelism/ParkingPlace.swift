import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Who sleeps on a word.
enum Sleeper: UInt32 {
    case caller = 1
    case helper = 2
}

#if os(Linux)
    import CMartletFutex

    typealias ParkingPlace = FutexParkingPlace

    /// Threads that sleep until a word changes, by Linux's futex.
    ///
    /// The kernel compares the word and puts the thread to sleep in one step, so a wake-up that follows a change of the
    /// word cannot fall between the two.
    final class FutexParkingPlace: Sendable {
        /// Sleeps if `word` still is `expected`, until a wake-up for `sleeper`; may also return for no reason.
        func sleep(_ word: UnsafeMutablePointer<Atomic<UInt32>>, whileEqualTo expected: UInt32, as sleeper: Sleeper) {
            martlet_futex_wait(word, expected, sleeper.rawValue)
        }

        /// Wakes at most `count` sleepers of a kind.
        func wake(_ word: UnsafeMutablePointer<Atomic<UInt32>>, count: Int, _ sleeper: Sleeper) {
            martlet_futex_wake(word, Int32(clamping: count), sleeper.rawValue)
        }
    }
#else
    typealias ParkingPlace = ConditionParkingPlace
#endif

/// Threads that sleep until a word changes, by a condition variable: for systems without futex.
///
/// The word is compared under the lock that a wake-up takes, so a wake-up that follows a change of the word cannot fall
/// between comparing and sleeping. All sleepers are woken, those that were not meant go back to sleep.
final class ConditionParkingPlace: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(changed)
        lock.deallocate()
        changed.deallocate()
    }

    /// Sleeps if `word` still is `expected`, until a wake-up.
    func sleep(_ word: UnsafeMutablePointer<Atomic<UInt32>>, whileEqualTo expected: UInt32, as _: Sleeper) {
        pthread_mutex_lock(lock)
        if word.pointee.load(ordering: .sequentiallyConsistent) == expected { pthread_cond_wait(changed, lock) }
        pthread_mutex_unlock(lock)
    }

    /// Wakes the sleepers.
    func wake(_: UnsafeMutablePointer<Atomic<UInt32>>, count _: Int, _: Sleeper) {
        pthread_mutex_lock(lock)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }
}
