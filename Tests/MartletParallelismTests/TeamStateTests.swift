import Testing

@testable import MartletParallelism

@Suite struct TeamStateTests {
    /// Every way from a loop that opens to its end keeps the counts apart, at the largest counts too.
    @Test(arguments: [1, 2, 100, TeamState.maximumHelpers]) func joiningAndLeaving(places: Int) {
        for flags in [0, TeamState.callerSleeps.word, TeamState.dismissed.word] {
            var state = TeamState(word: flags | TeamState.opening(places: places).word)
            for joined in 1...places {
                state = state.afterJoining
                #expect(state.joined == joined)
                #expect(state.places == places - joined)
                #expect(!state.callerMustBeWoken)
            }
            for joined in (0..<places).reversed() {
                state = state.afterLeaving
                #expect(state.joined == joined)
                #expect(state.places == 0)
                #expect(state.callerMustBeWoken == (joined == 0 && flags == TeamState.callerSleeps.word))
            }
            #expect(state.word == flags | TeamState.opening(places: 0).word)
            #expect(state.isDismissed == (flags == TeamState.dismissed.word))
        }
    }

    /// The first to leave has found no index left: nobody joins after that.
    @Test func leavingClosesTheLoop() {
        let state = TeamState.opening(places: 5).afterJoining.afterJoining.afterLeaving
        #expect(state.places == 0)
        #expect(state.joined == 1)
    }

    /// The number of the loop starts again at 0 and touches nothing else.
    @Test func countsLoops() {
        var state = TeamState(word: TeamState.callerSleeps.word)
        for loop in 1...40 {
            let opened = TeamState(word: state.word &+ TeamState.opening(places: TeamState.maximumHelpers).word)
            #expect(opened.loop == UInt32(loop % 16))
            #expect(opened.places == TeamState.maximumHelpers)
            state = opened.afterJoining.afterLeaving
            #expect(state.places == 0)
            #expect(state.callerMustBeWoken && !state.isDismissed)
        }
    }
}
