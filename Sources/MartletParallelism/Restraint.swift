/// How a team holds back when the machine has other work for its helpers' processors.
///
/// A helper that the system takes off its processor in the middle of an index holds up the whole loop for some
/// milliseconds, and one that shares a processor with a busy process is taken off again and again: two threads can then
/// be slower than one. When a loop has lost more than an eighth of its working time in this way, the team first stops
/// to spin for a while: a helper that sleeps between loops uses up less of its share of the processor, so the system
/// gives it the processor sooner and takes it away more rarely. Where a loop is held up even so, the caller works alone
/// for eight times the time that was lost, and losses stay near a tenth of the whole. (A helper that waits for a disk
/// looks the same; its loops are long, and the eighth lets most of them pass.)
///
/// Measured with 8 to 64 indices of 5 to 20 microseconds and one of two processors taken by another process, time of
/// two threads over that of one: 1.2 to 1.3 always spinning, 1.03 to 1.07 (once 1.33) with the second measure alone,
/// 0.77 to 0.92 with both.
struct Restraint {
    /// Nanoseconds, like all times here. Shorter waits are the price of sharing out indices.
    private static let threshold: UInt64 = 200_000
    private static let factor: UInt64 = 8
    /// Load comes and goes: after this time at most the helpers are tried again.
    private static let longestAlone: UInt64 = 50_000_000
    /// How long the team does not spin after a first loss, and after many: a single one may be chance.
    private static let shortestWithoutSpin: UInt64 = 20_000_000
    private static let longestWithoutSpin: UInt64 = 320_000_000

    private var aloneUntil: UInt64 = 0
    private var spinsAfter: UInt64 = 0
    private var withoutSpin: UInt64 = 0

    /// Whether a loop that begins at `time` does without helpers.
    func worksAlone(at time: UInt64) -> Bool { time < aloneUntil }

    /// Whether threads go to sleep at once when they have to wait.
    func sleepsAtOnce(at time: UInt64) -> Bool { time < spinsAfter }

    /// Notes that a caller that had worked on a loop from `beginning` to `pause` waited for helpers until `end`, while
    /// the whole process used processors for `used` nanoseconds: what goes beyond that nobody worked.
    mutating func note(loopFrom beginning: UInt64, callerAsleepFrom pause: UInt64, to end: UInt64, used: UInt64) {
        let waited = end - pause
        if waited <= used { return }
        let lost = waited - used
        if lost <= Restraint.threshold || lost <= (pause - beginning) / Restraint.factor { return }
        if sleepsAtOnce(at: beginning) {
            aloneUntil = end + min(Restraint.factor * lost, Restraint.longestAlone)
        }
        // Twice as long as last time, if that is not longer ago than it lasted.
        withoutSpin =
            beginning < spinsAfter + withoutSpin
            ? min(2 * withoutSpin, Restraint.longestWithoutSpin) : Restraint.shortestWithoutSpin
        spinsAfter = end + withoutSpin
    }
}
