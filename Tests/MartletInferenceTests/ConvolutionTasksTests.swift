import Testing

@testable import MartletInference

@Suite struct ConvolutionTasksTests {
    /// However it is cut, every row of every pair of vectors is computed once.
    @Test func everyRowOfEveryPairIsInOneTask() {
        for (height, width) in [(1, 1), (7, 7), (14, 14), (23, 9), (56, 56), (300, 5)] {
            for pairs in [1, 3, 8] {
                for workers in 1...5 {
                    for (products, weightBytes) in [(8, 1 << 10), (4096, 256 << 10), (4096, 257 << 10)] {
                        for isFlat in [true, false] {
                            let tasks = ConvolutionTasks(
                                images: 2, height: height, width: width, isFlat: isFlat, products: products,
                                pairs: pairs, weightBytes: weightBytes, workers: workers)
                            var times = [Int](repeating: 0, count: 2 * pairs * height)
                            for task in 0..<tasks.count {
                                let (image, itsPairs, rows) = tasks.place(of: task)
                                for pair in itsPairs {
                                    for row in rows { times[(image * pairs + pair) * height + row] += 1 }
                                }
                            }
                            #expect(times.allSatisfy { $0 == 1 })
                        }
                    }
                }
            }
        }
    }

    /// Few weights: the rows of a thread are the same for all outputs, and no thread has many more than another.
    @Test func threadsHaveRowsOfTheirOwn() {
        let tasks = ConvolutionTasks(
            images: 1, height: 14, width: 14, isFlat: true, products: 4096, pairs: 8, weightBytes: 256 << 10,
            workers: 2)
        let halves = (0..<tasks.count).map { tasks.place(of: $0).rows }
        #expect(Set(halves) == [0..<7, 7..<14] && halves.count(where: { $0 == 0..<7 }) == tasks.count / 2)
        #expect(halves == halves.sorted { $0.lowerBound < $1.lowerBound })
    }
}
