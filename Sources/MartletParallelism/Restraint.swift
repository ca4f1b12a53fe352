/// How a team holds back when the machine has other work for its helpers' processors.
///
/// A helper that the system takes off its processor in the middle of an index holds up the whole loop for some
/// milliseconds, and one that shares a processor with a busy process is taken off again and again: two threads can then
/// be slower than one. When a loop has lost more than a sixteenth of its working time in this way, the team first stops
/// to spin for a while: a helper that sleeps between loops uses up less of its share of the processor, so the system
/// gives it the processor sooner and takes it away more rarely. Where a loop is held up even so, the caller works alone
/// for sixteen times the time that was lost, and losses stay below a tenth of the whole. Waking a helper
/// costs the caller some microseconds, so short loops for which one has to be woken again and again, because it does not
/// spin or has no processor to spin on, are the caller's alone too. (A helper that waits for a disk looks the same; its
/// loops are long, and the sixteenth lets most of them pass.)
///
/// Measured on two processors of which other processes take one or both, time of two threads over that of one: a network
/// of loops of 10 microseconds 1.4 with the first two measures, 1.1 with all; others 0.75 to 1.1.
struct Restraint {
    /// Nanoseconds, like all times here. Shorter waits are the price of sharing out indices.
    private static let threshold: UInt64 = 200_000
    private static let factor: UInt64 = 16
    /// Load comes and goes: after this time at most the helpers are tried again.
    private static let longestAlone: UInt64 = 100_000_000
    /// How long the team does not spin after a first loss, and after many: a single one may be chance.
    private static let shortestWithoutSpin: UInt64 = 20_000_000
    private static let longestWithoutSpin: UInt64 = 320_000_000
    /// The time between loops, on the average, from which on it pays to wake a helper for each.
    private static let worthWaking: UInt64 = 60_000
    /// How many times a helper is woken for a loop that it should have been spinning for.
    private static let wakesInVain = 8

    private var aloneUntil: UInt64 = 0
    private var spinsAfter: UInt64 = 0
    private var withoutSpin: UInt64 = 0

    private var lastBeginning: UInt64 = 0
    /// The time from the beginning of the last loop to that of this one.
    private var interval: UInt64 = 0
    /// Its moving average.
    private var typicalInterval: UInt64 = worthWaking
    /// Wakes for loops that followed the last one closely, less the loops that needed none.
    private var wakes = 0

    /// Whether a loop that begins at `time` does without helpers.
    func worksAlone(at time: UInt64) -> Bool {
        time < aloneUntil || sleepsAtOnce(at: time) && typicalInterval < Restraint.worthWaking
    }

    /// Notes that a loop begins at `time`.
    mutating func note(beginning time: UInt64) {
        interval = time - lastBeginning
        lastBeginning = time
        typicalInterval = (7 * typicalInterval + min(interval, 1_000_000)) / 8
    }

    /// Notes whether a helper has to be woken for the loop whose beginning was noted last.
    mutating func note(wakes isNeeded: Bool) {
        if !isNeeded {
            if wakes > 0 { wakes -= 1 }
        } else if interval < Spin.limit {
            wakes += 1
            if wakes < Restraint.wakesInVain { return }
            wakes = 0
            aloneUntil = lastBeginning + Restraint.longestAlone
        }
    }

    /// Whether threads go to sleep at once when they have to wait.
    func sleepsAtOnce(at time: UInt64) -> Bool { time < spinsAfter }

    /// Notes that a caller that had worked on a loop from `beginning` to `pause` waited for helpers until `end`, while
    /// these used processors for `used` nanoseconds: what goes beyond that nobody worked.
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
