import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

@Suite struct MatrixTests {
    @Test(arguments: [false, true], [false, true]) func gemm(transposesA: Bool, transposesB: Bool) throws {
        var generator = SeededGenerator(seed: 1)
        for round in 0..<24 {
            let (m, n, k) = (generator.integer(1...40), generator.integer(1...40), generator.integer(1...40))
            let a = try generator.tensor(transposesA ? [k, m] : [m, k])
            let b = try generator.tensor(transposesB ? [n, k] : [k, n])
            let shapes: [[Int]?] = [nil, [], [1], [n], [m, 1], [1, n], [m, n]]
            let c = try shapes[round % shapes.count].map { try generator.tensor($0) }
            let gemm = Gemm(
                alpha: round % 2 == 0 ? 1 : 0.5, beta: round % 3 == 0 ? 1 : -2, transposesA: transposesA,
                transposesB: transposesB)
            let y = try run(.gemm(gemm), [a, b, c], constants: round % 2 == 0 ? [1] : [], threads: 1 + round % 3)[0]
            let (x, w) = (try a.floats, try b.floats)
            var expected: [Double] = []
            for i in 0..<m {
                for j in 0..<n {
                    var sum = 0.0
                    for p in 0..<k {
                        sum +=
                            Double(x[transposesA ? p * m + i : i * k + p])
                            * Double(w[transposesB ? j * k + p : p * n + j])
                    }
                    sum *= Double(gemm.alpha)
                    if let c {
                        let extents = [Int](repeating: 1, count: 2 - c.shape.rank) + c.shape.extents
                        let at = (extents[0] == 1 ? 0 : i) * extents[1] + (extents[1] == 1 ? 0 : j)
                        sum += Double(gemm.beta) * Double(try c.floats[at])
                    }
                    expected.append(sum)
                }
            }
            #expect(y.shape.extents == [m, n])
            #expect(relativeDifference(try y.floats, expected) < 1e-5)
        }
    }

    @Test func stacksOfMatrices() throws {
        var generator = SeededGenerator(seed: 2)
        let cases: [([Int], [Int], [Int])] = [
            ([3, 4], [4, 5], [3, 5]), ([2, 3, 4], [4, 5], [2, 3, 5]), ([2, 3, 4], [2, 4, 5], [2, 3, 5]),
            ([2, 1, 3, 4], [3, 4, 5], [2, 3, 3, 5]), ([3, 4], [2, 2, 4, 1], [2, 2, 3, 1]), ([4], [4], []),
            ([4], [4, 5], [5]), ([2, 3, 4], [4], [2, 3]), ([4], [2, 4, 3], [2, 3]), ([3, 1], [1, 5], [3, 5]),
            ([0, 4], [4, 5], [0, 5]), ([2, 0], [0, 3], [2, 3]), ([33, 2, 3], [33, 3, 2], [33, 2, 2]),
        ]
        for (left, right, result) in cases {
            let (a, b) = (try generator.tensor(left), try generator.tensor(right))
            let rowsA = left.count == 1 ? [1] + left : left
            let rowsB = right.count == 1 ? right + [1] : right
            let (m, k, n) = (rowsA[rowsA.count - 2], rowsA[rowsA.count - 1], rowsB[rowsB.count - 1])
            let (stackA, stackB) = (Array(rowsA.dropLast(2)), Array(rowsB.dropLast(2)))
            let rank = max(stackA.count, stackB.count)
            func padded(_ stack: [Int]) -> [Int] { [Int](repeating: 1, count: rank - stack.count) + stack }
            let (pa, pb) = (padded(stackA), padded(stackB))
            let stack = zip(pa, pb).map { $0 == 1 ? $1 : $0 }
            let (x, w) = (try a.floats, try b.floats)
            var expected: [Double] = []
            for position in stack.reduce([[]], { heads, e in heads.flatMap { h in (0..<e).map { h + [$0] } } }) {
                func at(_ extents: [Int]) -> Int {
                    zip(position, extents).reduce(0) { $0 * $1.1 + ($1.1 == 1 ? 0 : $1.0) }
                }
                for i in 0..<m {
                    for j in 0..<n {
                        expected.append(
                            (0..<k).reduce(0.0) {
                                $0 + Double(x[(at(pa) * m + i) * k + $1]) * Double(w[(at(pb) * k + $1) * n + j])
                            })
                    }
                }
            }
            for constants in [[], [1], [0]] as [Set<Int>] {
                let y = try run(.matMul, [a, b], constants: constants)[0]
                #expect(y.shape.extents == result)
                #expect(relativeDifference(try y.floats, expected) < 1e-5, "\(left) \(right) \(constants)")
            }
        }
    }

    @Test func aRowDoesNotDependOnTheOthers() throws {
        var generator = SeededGenerator(seed: 3)
        let x = try generator.tensor([37, 51])
        let (weight, bias) = (try generator.tensor([43, 51]), try generator.tensor([43]))
        let gemm = Operator.gemm(Gemm(transposesB: true))
        let whole = try run(gemm, [x, weight, bias], constants: [1, 2], threads: 3)[0].floats
        for row in 0..<37 {
            let one = try run(gemm, [x.images(row..<(row + 1)), weight, bias], constants: [1, 2], threads: 1)[0].floats
            #expect(one.map(\.bitPattern) == whole[(row * 43)..<((row + 1) * 43)].map(\.bitPattern))
        }
    }

    /// Weights in half precision are the weights rounded, and nothing else changes; where they would not be finite they stay.
    @Test func halvedWeightsAreRoundedOnes() throws {
        var generator = SeededGenerator(seed: 4)
        let x = try generator.tensor([3, 51])
        let (weight, bias) = (try generator.tensor([43, 51]), try generator.tensor([43]))
        let rounded = try Tensor(weight.floats.map { Float(Float16($0)) }, shape: weight.shape)
        let gemm = Operator.gemm(Gemm(alpha: 0.5, beta: 2, transposesB: true))
        var options = Executor.Options()
        options.halvesLinearWeights = true
        func halved(_ weight: Tensor) throws -> [Float] {
            let network = network(gemm, [x, weight, bias], constants: [1, 2])
            let executor = try Executor(network: network, pool: pools[1], options: options)
            return try #require(try executor.run(["0": x])["y0"]).floats
        }
        let expected = try run(gemm, [x, rounded, bias], constants: [1, 2])[0].floats
        #expect(relativeDifference(try halved(weight), expected.map { Double($0) }) < 1e-6)
        let exact = try run(gemm, [x, weight, bias], constants: [1, 2])[0].floats
        let changes = try InstructionSet.chosen() != .baseline
        #expect(try (halved(weight) != exact) == changes)
        var large = weight
        try large.withMutableElements(of: Float.self) { $0[5] = 1e6 }
        #expect(try halved(large) == run(gemm, [x, large, bias], constants: [1, 2])[0].floats)
    }
}
