/// When a caller does without its helpers, because the machine has other work for their processors.
///
/// A helper that the system takes off its processor in the middle of an index holds up the whole loop for some
/// milliseconds, and one that shares a processor with a busy process is taken off again and again: two threads can then
/// be slower than one. So a loop that lost more than an eighth of its working time in this way is followed by eight
/// times the lost time in which the caller works alone, and losses stay near a tenth of the whole. (A helper that waits
/// for a disk looks the same; its loops are long, and the eighth lets most of them pass.)
struct Restraint {
    /// Shorter waits are the price of sharing out indices.
    private static let threshold: UInt64 = 200_000
    /// Load comes and goes: after this many nanoseconds the helpers are tried again in any case.
    private static let longest: UInt64 = 50_000_000
    private static let factor: UInt64 = 8

    private var aloneUntil: UInt64 = 0

    func worksAlone(at time: UInt64) -> Bool { time < aloneUntil }

    /// Notes that a caller that had worked on a loop from `beginning` to `pause` waited for helpers until `end`, while
    /// the whole process used processors for `used` nanoseconds: what goes beyond that nobody worked.
    mutating func note(loopFrom beginning: UInt64, callerAsleepFrom pause: UInt64, to end: UInt64, used: UInt64) {
        let waited = end - pause
        if waited <= used { return }
        let lost = waited - used
        if lost > Restraint.threshold, lost > (pause - beginning) / Restraint.factor {
            aloneUntil = end + min(Restraint.factor * lost, Restraint.longest)
        }
    }
}
