/// What a team's threads agree on, in the one word that they change by atomic exchanges and sleep on.
///
/// A loop has *places* for helpers while there is work to take up; a helper joins by turning a place into one more
/// *joined*, in one exchange. That is all the protection a loop needs against helpers that come late: an exchange that
/// succeeds has seen a loop with a free place, whichever loop that is by now, and the loop's description is read only
/// after it. A helper that is joined keeps the loop from ending, so the description stays as it is until it leaves. The
/// word returning to an earlier value in between (ABA) is therefore of no consequence. Four bits count the loops, only
/// so that a helper which came too late for one sees that there was one.
struct TeamState: Equatable {
    var word: UInt32

    /// The most helpers a team can have: the two counts have 13 bits each.
    static let maximumHelpers = 8191

    private static let joinedShift: UInt32 = 13
    private static let loopShift: UInt32 = 28
    private static let countMask: UInt32 = 0x1fff

    /// Set while the caller sleeps until the last helper has left.
    static let callerSleeps = TeamState(word: 1 << 26)
    /// Set once, when the pool is gone.
    static let dismissed = TeamState(word: 1 << 27)
    /// The bits of ``places``.
    static let everyPlace = TeamState(word: countMask)

    /// What to add to the state between two loops, wrapping around, to open a loop with so many places.
    static func opening(places: Int) -> TeamState {
        TeamState(word: UInt32(truncatingIfNeeded: places) & countMask | 1 << loopShift)
    }

    /// The number of the loop modulo 16. At the top of the word, where an overflow harms nothing.
    var loop: UInt32 { word >> TeamState.loopShift }

    /// How many more helpers the loop takes.
    var places: Int { Int(word & TeamState.countMask) }

    /// How many helpers are inside the loop.
    var joined: Int { Int((word >> TeamState.joinedShift) & TeamState.countMask) }

    var isDismissed: Bool { word & TeamState.dismissed.word != 0 }

    /// Whether this is the state of a loop that all helpers have left and a caller that sleeps for it.
    var callerMustBeWoken: Bool { joined == 0 && word & TeamState.callerSleeps.word != 0 }

    /// The state after a helper took one of the places; there must be one.
    var afterJoining: TeamState { TeamState(word: word &- 1 &+ (1 << TeamState.joinedShift)) }

    /// The state after a joined helper left. It leaves when all indices are taken, so nobody need join any more.
    var afterLeaving: TeamState {
        TeamState(word: (word &- (1 << TeamState.joinedShift)) & ~TeamState.everyPlace.word)
    }
}
