import MartletParallelism
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
    @Test(arguments: [1, 2, 3, 8]) func visitsEachIndexOnce(threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        for count in [0, 1, 2, 7, 1000] {
            let visits = Mutex([Int](repeating: 0, count: count))
            pool.forEach(count) { index, worker in
                #expect((0..<threads).contains(worker))
                visits.withLock { $0[index] += 1 }
            }
            #expect(visits.withLock { $0 } == [Int](repeating: 1, count: count))
        }
    }

    @Test func manyShortLoops() {
        let pool = ThreadPool(threadCount: 4)
        let total = Atomic<Int>(0)
        for _ in 0..<5000 { pool.forEach(3) { total.wrappingAdd($0, ordering: .relaxed) } }
        #expect(total.load(ordering: .relaxed) == 15_000)
    }

    @Test func innerLoopsRunInPlace() {
        let pool = ThreadPool(threadCount: 3)
        let total = Atomic<Int>(0)
        pool.forEach(10) { _ in
            pool.forEach(10) { _, worker in
                #expect(worker == 0)
                total.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(total.load(ordering: .relaxed) == 100)
    }

    @Test func loopsFromSeveralThreadsTakeTurns() async {
        let pool = ThreadPool(threadCount: 2)
        let sums = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let sum = Atomic<Int>(0)
                    pool.forEach(100) { sum.wrappingAdd($0, ordering: .relaxed) }
                    return sum.load(ordering: .relaxed)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums == [Int](repeating: 4950, count: 8))
    }

    @Test func throwsTheFirstError() {
        struct Failure: Error, Equatable { let index: Int }
        let pool = ThreadPool(threadCount: 4)
        #expect(throws: Failure(index: 3)) {
            try pool.forEachThrowing(100) { if $0 % 10 == 3 { throw Failure(index: $0) } }
        }
    }
}
