import MartletKernelsBaseline
import MartletTestSupport
import Testing

@Suite struct StridedCopyTests {
    @Test(arguments: [1, 2, 4, 8]) func movesElementsBetweenAnyLayouts(elementBytes: Int) {
        var generator = SeededGenerator(seed: UInt64(elementBytes))
        for _ in 0..<80 {
            let rank = generator.integer(0...4)
            let extents = (0..<rank).map { _ in generator.integer(1...5) }
            let count = extents.reduce(1, *)
            // The source is dense; the target has the axes in another order, some of them reversed.
            let order = Array(0..<rank).shuffled(using: &generator)
            var targetStrides = [Int](repeating: 0, count: rank)
            var step = 1
            var origin = 0
            for axis in order {
                let isReversed = generator.integer(0...2) == 0
                targetStrides[axis] = isReversed ? -step : step
                if isReversed { origin += (extents[axis] - 1) * step }
                step *= extents[axis]
            }
            var sourceStrides = [Int](repeating: 1, count: rank)
            for axis in stride(from: rank - 2, through: 0, by: -1) {
                sourceStrides[axis] = sourceStrides[axis + 1] * extents[axis + 1]
            }
            let source = (0..<(count * elementBytes)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var target = [UInt8](repeating: 0, count: count * elementBytes)
            target.withUnsafeMutableBytes { bytes in
                copyStrided(
                    rank: rank, extents: extents, source: source,
                    sourceStrides: sourceStrides.map { $0 * elementBytes },
                    target: bytes.baseAddress! + origin * elementBytes,
                    targetStrides: targetStrides.map { $0 * elementBytes }, elementBytes: elementBytes)
            }
            var index = [Int](repeating: 0, count: rank)
            for element in 0..<count {
                var rest = element
                for axis in (0..<rank).reversed() {
                    index[axis] = rest % extents[axis]
                    rest /= extents[axis]
                }
                let to = origin + zip(index, targetStrides).reduce(0) { $0 + $1.0 * $1.1 }
                let moved = target[(to * elementBytes)..<((to + 1) * elementBytes)]
                #expect(Array(moved) == Array(source[(element * elementBytes)..<((element + 1) * elementBytes)]))
            }
        }
    }

    @Test(arguments: [1, 2, 4, 8]) func fillsWithAnyElement(elementBytes: Int) {
        let element: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        var target = [UInt8](repeating: 0, count: 7 * elementBytes + 1)
        target.withUnsafeMutableBytes {
            fill($0.baseAddress!, count: 7, element: element, elementBytes: elementBytes)
        }
        let expected = (0..<(7 * elementBytes)).map { element[$0 % elementBytes] } + [UInt8(0)]
        #expect(target == expected)
    }
}
