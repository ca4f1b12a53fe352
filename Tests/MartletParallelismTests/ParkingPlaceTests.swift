import Synchronization
import Testing

@testable import MartletParallelism

/// The word that threads sleep on in these tests.
private final class Word: @unchecked Sendable {
    let address = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
    init() { address.initialize(to: Atomic(0)) }
    deinit { address.deallocate() }
}

@Suite(.timeLimit(.minutes(1))) struct ParkingPlaceTests {
    @Test func sleepsOnlyWhileTheWordIsAsExpected() {
        let word = Word()
        ParkingPlace().sleep(word.address, whileEqualTo: 1, as: .helper)
        ConditionParkingPlace().sleep(word.address, whileEqualTo: 1, as: .helper)
        #expect(word.address.pointee.load(ordering: .relaxed) == 0)
    }

    /// Two threads pass a number to and fro, each asleep while it is the other's: a wake-up that gets lost hangs.
    @Test func passesToAndFro() {
        let parking = ParkingPlace()
        passToAndFro(
            sleep: { parking.sleep($0.address, whileEqualTo: $1, as: .helper) },
            wake: { parking.wake($0.address, count: 1, .helper) })
    }

    /// The same for the fallback, which Linux does not use otherwise.
    @Test func passesToAndFroByConditionVariable() {
        let parking = ConditionParkingPlace()
        passToAndFro(
            sleep: { parking.sleep($0.address, whileEqualTo: $1, as: .helper) },
            wake: { parking.wake($0.address, count: 1, .helper) })
    }

    private func passToAndFro(sleep: (Word, UInt32) -> Void, wake: (Word) -> Void) {
        let word = Word()
        let rounds: UInt32 = 2000
        // A new pool's first loop of two indices gives each thread one, because neither ends before the other began.
        ThreadPool(threadCount: 2).forEach(2) { side in
            var value = word.address.pointee.load(ordering: .acquiring)
            while value < rounds {
                if value % 2 == side {
                    word.address.pointee.store(value + 1, ordering: .sequentiallyConsistent)
                    wake(word)
                } else {
                    sleep(word, value)
                }
                value = word.address.pointee.load(ordering: .acquiring)
            }
        }
        #expect(word.address.pointee.load(ordering: .relaxed) == rounds)
    }
}
