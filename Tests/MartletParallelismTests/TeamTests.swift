import Testing

@testable import MartletParallelism

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite struct TeamTests {
    /// The threads of a team keep it alive, so when it is gone they are: whether they spun or slept when dismissed.
    @Test(arguments: [0, 20_000]) func dismissedThreadsEnd(microsecondsBefore: UInt32) {
        weak var gone: Team?
        do {
            let team = Team(helpers: 3)
            gone = team
            team.run(10) { _, _ in }
            usleep(microsecondsBefore)
            #expect(gone != nil)
            team.dismiss()
        }
        for _ in 0..<1000 where gone != nil { usleep(5000) }
        #expect(gone == nil)
    }
}
