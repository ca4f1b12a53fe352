import MartletLinearAlgebra
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct CompensatedRoundingTests {
    /// Weights, their scales, and a second moment of inputs that are correlated.
    private func problem(
        seed: UInt64, rows: Int, size: Int
    ) throws -> (weight: [Float], scales: [Float], sigma: Matrix) {
        var generator = SeededGenerator(seed: seed)
        let mixing = try Matrix(
            rows: size + 3, columns: size, elements: generator.floats((size + 3) * size).map { Double($0) })
        let weight = generator.floats(rows * size)
        let scales = (0..<rows).map { Float(0.02 + 0.01 * Double($0 % 3)) }
        return (weight, scales, mixing.gram(transposed: true))
    }

    /// The sum of `e^T Sigma e` over the rows.
    private func error(_ integers: [Int8], _ weight: [Float], _ scales: [Float], _ sigma: Matrix) -> Double {
        let size = sigma.rows
        var total = 0.0
        for row in scales.indices {
            let e = (0..<size).map {
                Double(weight[row * size + $0]) - Double(integers[row * size + $0]) * Double(scales[row])
            }
            for i in 0..<size { for j in 0..<size { total += e[i] * sigma[i, j] * e[j] } }
        }
        return total
    }

    private func nearest(_ weight: [Float], _ scales: [Float]) -> [Int8] {
        let size = weight.count / scales.count
        return weight.indices.map {
            Int8(max(-127, min(127, (Double(weight[$0]) / Double(scales[$0 / size])).rounded(.toNearestOrEven))))
        }
    }

    @Test(arguments: [(1, 2), (3, 5), (17, 24), (9, 60)]) func changesResultsLess(rows: Int, size: Int) throws {
        var (ours, theirs) = (0.0, 0.0)
        for seed in 0..<UInt64(20) {
            let (weight, scales, sigma) = try problem(seed: seed, rows: rows, size: size)
            let rounding = try #require(try CompensatedRounding(secondMoment: sigma))
            let integers = weight.withUnsafeBufferPointer { rounding.rounded($0, scales: scales, pool: pools[1]) }
            ours += error(integers, weight, scales, sigma)
            theirs += error(nearest(weight, scales), weight, scales, sigma)
            let again = weight.withUnsafeBufferPointer { rounding.rounded($0, scales: scales, pool: pools[2]) }
            #expect(again == integers)
        }
        #expect(ours < (size > 10 ? 0.7 : 1) * theirs)
    }

    /// Inputs that have nothing to do with each other leave nothing to make good.
    @Test func isToTheNearestWithoutCorrelation() throws {
        let (weight, scales, _) = try problem(seed: 3, rows: 7, size: 12)
        var sigma = Matrix(rows: 12, columns: 12)
        for i in 0..<12 { sigma[i, i] = Double(i) }
        let rounding = try #require(try CompensatedRounding(secondMoment: sigma))
        let integers = weight.withUnsafeBufferPointer { rounding.rounded($0, scales: scales, pool: pools[0]) }
        #expect(integers == nearest(weight, scales))
    }

    @Test func nothingSeenIsNothingToRoundBy() throws {
        let rounding = try CompensatedRounding(secondMoment: Matrix(rows: 4, columns: 4))
        #expect(rounding == nil)
    }
}
