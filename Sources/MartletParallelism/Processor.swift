import CMartletFutex

/// The processor a thread runs on.
enum Processor {
    /// Stands for a processor that the system does not tell.
    static let unknown: Int32 = -1

    static var current: Int32 {
        #if os(Linux)
            sched_getcpu()
        #else
            unknown
        #endif
    }

    /// Moves this thread to another processor than `processor` if it may run on one, and leaves it free to be moved again.
    static func leave(_ processor: Int32) {
        #if os(Linux)
            martlet_leave_processor(processor)
        #endif
    }
}
