import Testing

@testable import MartletParallelism

@Suite struct RestraintTests {
    private let millisecond: UInt64 = 1_000_000

    /// After a loop of `work` and a wait of `wait` nanoseconds, for `used` of which helpers worked; and the same
    /// once more if `again`, from time 0 as well.
    private func afterWait(of wait: UInt64, used: UInt64, work: UInt64, again: Bool = false) -> Restraint {
        var restraint = Restraint()
        for _ in 0..<(again ? 2 : 1) {
            restraint.note(loopFrom: 0, callerAsleepFrom: work, to: work + wait, used: used)
        }
        return restraint
    }

    @Test func aLossIsFollowedByATimeWithoutSpinning() {
        let restraint = afterWait(of: 3 * millisecond, used: 0, work: 8 * millisecond)
        #expect(restraint.sleepsAtOnce(at: 11 * millisecond))
        #expect(restraint.sleepsAtOnce(at: 31 * millisecond - 1))
        #expect(!restraint.sleepsAtOnce(at: 31 * millisecond))
        #expect(!restraint.worksAlone(at: 11 * millisecond))
    }

    /// Losses that follow each other make it longer, up to a limit; one that comes alone begins anew.
    @Test func lossesThatGoOnMakeItLonger() {
        var restraint = Restraint()
        var now: UInt64 = 1000 * millisecond
        for expected in [20, 40, 80, 160, 320, 320] as [UInt64] {
            let end = now + 3 * millisecond
            restraint.note(loopFrom: now, callerAsleepFrom: now, to: end, used: 0)
            #expect(restraint.sleepsAtOnce(at: end + expected * millisecond - 1))
            #expect(!restraint.sleepsAtOnce(at: end + expected * millisecond))
            now = end + expected * millisecond + millisecond
        }
        now += 1000 * millisecond
        restraint.note(loopFrom: now, callerAsleepFrom: now, to: now + millisecond, used: 0)
        #expect(!restraint.sleepsAtOnce(at: now + 21 * millisecond))
    }

    @Test func aLossWithoutSpinningIsFollowedBySixteenTimesAsMuchAlone() {
        let restraint = afterWait(of: 3 * millisecond, used: 0, work: 8 * millisecond, again: true)
        #expect(restraint.worksAlone(at: 11 * millisecond))
        #expect(restraint.worksAlone(at: 59 * millisecond - 1))
        #expect(!restraint.worksAlone(at: 59 * millisecond))
    }

    @Test func aWaitForWorkIsNoLoss() {
        #expect(!afterWait(of: 3 * millisecond, used: 3 * millisecond, work: 8 * millisecond).sleepsAtOnce(at: 0))
        // Several helpers use more than the time that passes.
        #expect(!afterWait(of: 3 * millisecond, used: 9 * millisecond, work: 0).sleepsAtOnce(at: 0))
    }

    @Test func smallLossesAreBorne() {
        #expect(!afterWait(of: 100_000, used: 0, work: 0).sleepsAtOnce(at: 0))
        #expect(!afterWait(of: millisecond, used: 0, work: 16 * millisecond).sleepsAtOnce(at: 0))
    }

    @Test func helpersAreTriedAgainSoon() {
        let restraint = afterWait(of: 1000 * millisecond, used: 0, work: 0, again: true)
        #expect(restraint.worksAlone(at: 1099 * millisecond))
        #expect(!restraint.worksAlone(at: 1100 * millisecond))
    }

    /// Loops every 10 microseconds from 1 s on.
    private func afterShortLoops(_ count: Int, wakes: (Int) -> Bool) -> Restraint {
        var restraint = Restraint()
        for loop in 0..<count {
            restraint.note(beginning: 1000 * millisecond + UInt64(loop) * 10_000)
            restraint.note(wakes: wakes(loop))
        }
        return restraint
    }

    @Test func shortLoopsThatNeedWakesAreTheCallersAlone() {
        #expect(afterShortLoops(20) { _ in true }.worksAlone(at: 1001 * millisecond))
        #expect(!afterShortLoops(20) { _ in true }.worksAlone(at: 1101 * millisecond))
        // A helper that has slept through a pause is no sign of it.
        #expect(!afterShortLoops(200) { $0 % 25 == 0 }.worksAlone(at: 1001 * millisecond))
        #expect(!afterShortLoops(7) { _ in true }.worksAlone(at: 1001 * millisecond))
    }

    @Test func longLoopsAreWorthWakingFor() {
        var restraint = Restraint()
        for loop in 0..<100 as Range<UInt64> {
            restraint.note(beginning: (1000 + loop) * millisecond)
            restraint.note(wakes: true)
        }
        #expect(!restraint.worksAlone(at: 1100 * millisecond))
    }
}
