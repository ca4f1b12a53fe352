import MartletParallelism
import MartletTestSupport
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Many loops of every kind. What can go wrong here is an index lost or taken twice, a loop that returns before its
/// work is done, a late helper in the wrong loop, or a wake-up that gets lost, which hangs.
@Suite(.timeLimit(.minutes(2)), .serialized) struct ThreadPoolStressTests {
    /// Thousands of loops whose count, work and distance change: spinning, sleeping and late helpers all happen. The
    /// results are plain memory, so a loop that returns early, or a helper that works for the wrong one, shows.
    @Test(arguments: [2, 3, 5]) func loopsOfEveryKind(threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        var random = SeededGenerator(seed: 7)
        let results = UnsafeMutableBufferPointer<Int>.allocate(capacity: 40)
        defer { results.deallocate() }
        var wrong = 0
        for round in 0..<4000 {
            let count = Int.random(in: 2...40, using: &random)
            let work = Int.random(in: 0...1, using: &random) * Int.random(in: 0...300, using: &random)
            results.initialize(repeating: -1)
            pool.forEach(count) { index in
                burn(index % 3 == 0 ? work : 0)
                results[index] = results[index] == -1 ? round &* 64 &+ index : -2
            }
            for index in 0..<40 where results[index] != (index < count ? round &* 64 &+ index : -1) { wrong += 1 }
            switch round % 16 {
            case 3: burn(500)
            case 7: usleep(100)
            default: break
            }
        }
        #expect(wrong == 0)
    }

    /// The caller takes its indices from the first on, each helper from the last back.
    @Test func indicesAreHandedOutInOrder() {
        for threads in [1, 4] {
            let pool = ThreadPool(threadCount: threads)
            // Each worker has a list of its own, so none needs a lock.
            let lists = UnsafeMutableBufferPointer<[Int]>.allocate(capacity: threads)
            lists.initialize(repeating: [])
            defer { lists.deinitialize().deallocate() }
            for _ in 0..<200 {
                for worker in 0..<threads { lists[worker] = [] }
                pool.forEach(30) { index, worker in lists[worker].append(index) }
                #expect(lists[0] == lists[0].sorted())
                #expect(lists.dropFirst().allSatisfy { $0 == $0.sorted(by: >) })
                #expect(lists.joined().sorted() == Array(0..<30))
            }
        }
    }

    /// An index that takes long holds up its own thread only: the other takes all the rest.
    @Test func unevenWorkIsSharedByWhoIsFree() {
        let pool = ThreadPool(threadCount: 2)
        var shared = 0
        for _ in 0..<50 {
            let others = Atomic<Int>(0)
            let othersWhileWaiting = Atomic<Int>(0)
            pool.forEach(50) { index in
                if index > 0 {
                    others.wrappingAdd(1, ordering: .releasing)
                    return
                }
                // Not for ever: on a busy machine the helper may not come at all.
                for _ in 0..<100 where others.load(ordering: .acquiring) < 49 { usleep(100) }
                othersWhileWaiting.store(others.load(ordering: .acquiring), ordering: .relaxed)
            }
            #expect(others.load(ordering: .relaxed) == 49)
            if othersWhileWaiting.load(ordering: .relaxed) == 49 { shared += 1 }
        }
        #expect(shared > 0)
    }

    /// The caller sleeps for helpers that are late with their last index.
    @Test func waitsForTheLastIndex() {
        let pool = ThreadPool(threadCount: 3)
        var late = 0
        for _ in 0..<100 {
            let done = Atomic<Int>(0)
            let helped = Atomic<Bool>(false)
            pool.forEach(3) { _, worker in
                if worker > 0 {
                    helped.store(true, ordering: .relaxed)
                    usleep(300)
                } else {
                    // Long enough for a helper to come, on most machines at most times.
                    for _ in 0..<20 where !helped.load(ordering: .relaxed) { usleep(50) }
                }
                done.wrappingAdd(1, ordering: .relaxed)
            }
            #expect(done.load(ordering: .relaxed) == 3)
            if helped.load(ordering: .relaxed) { late += 1 }
        }
        #expect(late > 0)
    }

    @Test func shortLoopsFromSeveralThreads() async {
        let pool = ThreadPool(threadCount: 3)
        let sums = await withTaskGroup(of: Int.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    var total = 0
                    for round in 0..<1000 {
                        let sum = Atomic<Int>(0)
                        pool.forEach(2 + (round + caller) % 5) { sum.wrappingAdd($0 + 1, ordering: .relaxed) }
                        let count = 2 + (round + caller) % 5
                        if sum.load(ordering: .relaxed) == count * (count + 1) / 2 { total += 1 }
                    }
                    return total
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums == [1000, 1000, 1000, 1000])
    }

    /// Pools dropped before their helpers have started, while they spin, and while they sleep.
    @Test func poolsComeAndGo() {
        let total = Atomic<Int>(0)
        for round in 0..<300 {
            let pool = ThreadPool(threadCount: 2 + round % 4)
            for _ in 0..<round % 3 { pool.forEach(4) { total.wrappingAdd($0, ordering: .relaxed) } }
            if round % 10 == 0 { usleep(200) }
        }
        #expect(total.load(ordering: .relaxed) == 300 * 6)
    }

    /// Far more threads than processors, several pools at once.
    @Test func oversubscribedPools() async {
        let totals = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let pool = ThreadPool(threadCount: 16)
                    let total = Atomic<Int>(0)
                    for _ in 0..<300 {
                        pool.forEach(20) { index in
                            burn(50)
                            total.wrappingAdd(index, ordering: .relaxed)
                        }
                    }
                    return total.load(ordering: .relaxed)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(totals == [Int](repeating: 300 * 190, count: 3))
    }

    /// A wish for more threads than any system has is cut down before memory is taken for them.
    @Test func threadCountHasALimit() {
        #expect(ThreadPool(threadCount: -3).threadCount == 1)
        #expect(ThreadPool.maximumThreadCount < 100_000)
    }
}

/// Arithmetic that takes about `steps` nanoseconds or more.
private func burn(_ steps: Int) {
    var value = 1.0
    for step in 0..<steps { value = value * 0.999 + Double(step) }
    if value == -1 { print(value) }
}
