import MartletTestSupport
import Testing

@testable import MartletInference

@Suite struct DotProductTests {
    /// Every product against double precision, and the same to the bit whatever stands beside it.
    @Test(arguments: KernelSet.available) func doNotDependOnTheirNeighbours(kernels: KernelSet) {
        var generator = SeededGenerator(seed: 11)
        for length in [0, 1, 7, 15, 16, 17, 40, 129] {
            for (leftCount, rightCount) in [(1, 1), (1, 4), (1, 7), (2, 5), (3, 9), (5, 4)] {
                let stride = length + 3
                let left = generator.floats(leftCount * stride + 1)
                let right = generator.floats(rightCount * stride + 1)
                // Results lie two apart: what is between them must stay as it is.
                let (leftStep, rightStep) = (2 * rightCount + 1, 2)
                let all = guarded(leftCount * leftStep) { target in
                    for i in 0..<leftCount * leftStep { target[i] = 777 }
                    kernels.dotProducts(
                        left: left, leftCount: leftCount, leftStride: stride, right: right, rightCount: rightCount,
                        rightStride: stride, length: length, results: target, leftStep: leftStep, rightStep: rightStep)
                }
                var written = Set<Int>()
                for i in 0..<leftCount {
                    for j in 0..<rightCount {
                        let (x, a) = (Array(left[(i * stride)...]), Array(right[(j * stride)...]))
                        let single = guarded(1) {
                            kernels.dotProducts(
                                left: x, leftCount: 1, leftStride: 0, right: a, rightCount: 1, rightStride: 0,
                                length: length, results: $0, leftStep: 0, rightStep: 0)
                        }
                        let place = i * leftStep + j * rightStep
                        written.insert(place)
                        #expect(single[0].bitPattern == all[place].bitPattern)
                        let expected = (0..<length).reduce(0.0) { $0 + Double(x[$1]) * Double(a[$1]) }
                        #expect(abs(Double(single[0]) - expected) < 1e-6 * Double(length + 1))
                    }
                }
                #expect(all.indices.allSatisfy { written.contains($0) || all[$0] == 777 })
            }
        }
    }

    @Test(arguments: KernelSet.available) func halvesAreAddedUpInSinglePrecision(kernels: KernelSet) {
        var generator = SeededGenerator(seed: 12)
        for length in [0, 1, 15, 16, 17, 40, 129] {
            for count in [1, 3, 4, 9] {
                let x = generator.floats(length + 1)
                let rows = generator.floats(count * length + 1).map { Float16($0) }
                let results = guarded(2 * count) { target in
                    for i in 0..<2 * count { target[i] = 777 }
                    kernels.halfDotProducts(
                        left: x, right: rows, rightCount: count, length: length, results: target, step: 2)
                }
                for j in 0..<count {
                    let expected = (0..<length).reduce(0.0) { $0 + Double(x[$1]) * Double(rows[j * length + $1]) }
                    #expect(abs(Double(results[2 * j]) - expected) < 1e-6 * Double(length + 1))
                    #expect(results[2 * j + 1] == 777)
                }
            }
        }
    }
}
