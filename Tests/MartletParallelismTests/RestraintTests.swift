import Testing

@testable import MartletParallelism

@Suite struct RestraintTests {
    private let millisecond: UInt64 = 1_000_000

    /// After a loop of `work` and a wait of `wait` nanoseconds, for `used` of which the process worked.
    private func afterWait(of wait: UInt64, used: UInt64, work: UInt64) -> Restraint {
        var restraint = Restraint()
        restraint.note(loopFrom: 0, callerAsleepFrom: work, to: work + wait, used: used)
        return restraint
    }

    @Test func aLostWaitIsFollowedByEightTimesAsMuchAlone() {
        let restraint = afterWait(of: 3 * millisecond, used: 0, work: 8 * millisecond)
        #expect(restraint.worksAlone(at: 11 * millisecond))
        #expect(restraint.worksAlone(at: 35 * millisecond - 1))
        #expect(!restraint.worksAlone(at: 35 * millisecond))
    }

    @Test func aWaitForWorkIsNoLoss() {
        let restraint = afterWait(of: 3 * millisecond, used: 3 * millisecond, work: 8 * millisecond)
        #expect(!restraint.worksAlone(at: 11 * millisecond))
        // Several helpers use more than the time that passes.
        #expect(!afterWait(of: 3 * millisecond, used: 9 * millisecond, work: 0).worksAlone(at: 3 * millisecond))
    }

    @Test func smallLossesAreBorne() {
        #expect(!afterWait(of: 100_000, used: 0, work: 0).worksAlone(at: 100_000))
        #expect(!afterWait(of: millisecond, used: 0, work: 8 * millisecond).worksAlone(at: 9 * millisecond))
    }

    @Test func helpersAreTriedAgainSoon() {
        let restraint = afterWait(of: 1000 * millisecond, used: 0, work: 0)
        #expect(restraint.worksAlone(at: 1049 * millisecond))
        #expect(!restraint.worksAlone(at: 1050 * millisecond))
    }
}
