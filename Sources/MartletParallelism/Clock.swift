#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Nanoseconds.
enum Clock {
    /// Since some moment in the past; never steps back.
    static var now: UInt64 { read(CLOCK_MONOTONIC) }

    /// What threads have spent on processors, by a clock of each: the system brings it up to date when it is read, while
    /// that of the whole process may be milliseconds behind for a thread that runs elsewhere.
    static func time(spentBy threads: [clockid_t]) -> UInt64 {
        threads.reduce(0) { $0 + read($1) }
    }

    /// The clock of what a thread spends on processors; that of the process where threads have none.
    static func spending(of thread: pthread_t) -> clockid_t {
        #if canImport(Darwin)
            return CLOCK_PROCESS_CPUTIME_ID
        #else
            var clock = CLOCK_PROCESS_CPUTIME_ID
            return pthread_getcpuclockid(thread, &clock) == 0 ? clock : CLOCK_PROCESS_CPUTIME_ID
        #endif
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
