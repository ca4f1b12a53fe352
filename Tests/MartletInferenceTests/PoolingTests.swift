import MartletInference
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct PoolingTests {
    @Test(arguments: [false, true], [false, true]) func windows(ceils: Bool, countsPadding: Bool) throws {
        var generator = SeededGenerator(seed: 1)
        for round in 0..<40 {
            var oracle = WindowOracle.random(axes: [2, 1, 2, 3][round % 4], ceils: ceils, using: &generator)
            var window = oracle.window
            if round % 5 == 0 {
                oracle = oracle.same(upper: ceils)
                window.padding = ceils ? .sameUpper : .sameLower
            }
            if oracle.outputCount * oracle.tapCount > 3000 { continue }
            let x = try generator.tensor([2, 3] + oracle.input)
            let pooling = Pooling(window: window, ceilMode: ceils)
            let maximum = try run(.maxPool(pooling), [x], threads: 3)[0]
            #expect(maximum.shape.extents == [2, 3] + oracle.output)
            #expect(relativeDifference(try maximum.floats, oracle.maxPool(try x.floats, planes: 6)) == 0, "\(oracle)")
            let mean = try run(.averagePool(pooling, countsPadding: countsPadding), [x])[0]
            let expected = oracle.averagePool(try x.floats, planes: 6, countsPadding: countsPadding)
            #expect(relativeDifference(try mean.floats, expected) < 1e-6, "\(oracle)")
        }
    }

    @Test func global() throws {
        var generator = SeededGenerator(seed: 2)
        for spatial in [[5], [3, 7], [2, 3, 4]] {
            let x = try generator.tensor([2, 70] + spatial)
            let size = spatial.reduce(1, *)
            let planes = try stride(from: 0, to: x.shape.elementCount, by: size).map { try x.floats[$0..<($0 + size)] }
            let mean = try run(.globalAveragePool, [x])[0]
            #expect(mean.shape.extents == [2, 70] + spatial.map { _ in 1 })
            let expected = planes.map { plane in plane.reduce(0.0) { $0 + Double($1) } / Double(size) }
            #expect(relativeDifference(try mean.floats, expected) < 1e-6)
            #expect(try run(.globalMaxPool, [x])[0].floats == planes.map { $0.max() ?? .nan })
        }
    }
}
