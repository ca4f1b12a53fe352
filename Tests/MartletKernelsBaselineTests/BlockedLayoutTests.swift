import MartletTestSupport
import Testing

@testable import MartletInference

/// Layouts, borders and sums of every instruction set against loops over indices.
@Suite struct BlockedLayoutTests {
    /// Pixel step, channels, rows, columns and border of random values, images among them.
    private static func shapes(_ kernels: KernelSet) -> [(pixelStep: Int, channels: Int, rows: Int, columns: Int)] {
        var generator = SeededGenerator(seed: 21)
        var shapes = [(4, 3, 5, 23), (4, 1, 1, 4), (4, 3, 2, 1)]
        for _ in 0..<20 {
            shapes.append(
                (
                    kernels.lanes, generator.integer(1...(3 * kernels.lanes)), generator.integer(1...5),
                    generator.integer(1...19)
                ))
        }
        return shapes
    }

    @Test(arguments: KernelSet.available)
    func planesToBlocksAndBack(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 22)
        for (p, channels, rows, columns) in Self.shapes(kernels) {
            let (top, left, bottom, right) = (
                generator.integer(0...2), generator.integer(0...2), generator.integer(0...2), generator.integer(0...2)
            )
            let blocks = (channels + p - 1) / p
            let planeRowStep = columns + generator.integer(0...2)
            let planeStep = rows * planeRowStep + generator.integer(0...3)
            let planes = GuardedBuffer(generator.floats(channels * planeStep))
            let rowStep = (left + columns + right) * p
            let blockStep = (top + rows + bottom) * rowStep
            let blocked = GuardedBuffer(generator.floats(blocks * blockStep))
            let interior = top * rowStep + left * p

            var expected = blocked.elements
            for channel in 0..<(blocks * p) {
                for y in 0..<rows {
                    for x in 0..<columns {
                        expected[interior + channel / p * blockStep + y * rowStep + x * p + channel % p] =
                            channel < channels ? planes.start[channel * planeStep + y * planeRowStep + x] : 0
                    }
                }
            }
            kernels.planarToBlocked(
                input: planes.start, inputChannelStep: planeStep, inputRowStep: planeRowStep,
                output: blocked.start + interior, outputBlockStep: blockStep, outputRowStep: rowStep, pixelStep: p,
                channels: channels, rows: rows, columns: columns)
            #expect(blocked.elements == expected && blocked.isIntact && planes.isIntact)

            let back = GuardedBuffer(generator.floats(channels * planeStep))
            var planar = back.elements
            for channel in 0..<channels {
                for y in 0..<rows {
                    for x in 0..<columns {
                        let i = channel * planeStep + y * planeRowStep + x
                        planar[i] = planes.start[i]
                    }
                }
            }
            kernels.blockedToPlanar(
                input: blocked.start + interior, inputBlockStep: blockStep, inputRowStep: rowStep, pixelStep: p,
                output: back.start, outputChannelStep: planeStep, outputRowStep: planeRowStep, channels: channels,
                rows: rows, columns: columns)
            #expect(back.elements == planar && back.isIntact && blocked.isIntact)
        }
    }

    @Test(arguments: KernelSet.available)
    func borders(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 23)
        for (p, _, rows, columns) in Self.shapes(kernels) {
            for border in [(0, 0, 0, 0), (1, 1, 1, 1), (3, 2, 1, 0), (0, 0, 2, 5), (0, 3, 0, 0), (2, 0, 0, 0)] {
                let (top, left, bottom, right) = border
                let width = left + columns + right
                let plane = GuardedBuffer(generator.floats((top + rows + bottom) * width * p))
                var expected = plane.elements
                for i in expected.indices {
                    let (y, x) = (i / p / width - top, i / p % width - left)
                    if !(0..<rows).contains(y) || !(0..<columns).contains(x) { expected[i] = 0 }
                }
                kernels.fillBorder(
                    plane.start, pixelStep: p, rows: rows, columns: columns, top: top, left: left, bottom: bottom,
                    right: right)
                #expect(plane.elements == expected && plane.isIntact)
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func sums(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 24)
        let c = kernels.lanes
        for (minimum, maximum) in clampChoices {
            for inPlace in [false, true] {
                let (rows, columns) = (generator.integer(1...4), generator.integer(1...9))
                let (aStep, bStep) = ((columns + 1) * c, columns * c)
                let outputStep = inPlace ? bStep : (columns + 2) * c
                let a = GuardedBuffer(generator.floats(rows * aStep))
                let b = GuardedBuffer(generator.floats(rows * bStep))
                let other = GuardedBuffer(generator.floats(rows * outputStep))
                let output = inPlace ? b : other
                var expected = output.elements
                for y in 0..<rows {
                    for i in 0..<(columns * c) {
                        expected[y * outputStep + i] =
                            min(max(a.start[y * aStep + i] + b.start[y * bStep + i], minimum), maximum)
                    }
                }
                kernels.addRows(
                    a.start, aRowStep: aStep, b.start, bRowStep: bStep, output: output.start,
                    outputRowStep: outputStep, rows: rows, columns: columns, minimum: minimum, maximum: maximum)
                #expect(output.elements == expected)
                #expect(a.isIntact && b.isIntact && other.isIntact)
            }
        }
    }

    /// A clamp hides infinities as it should, and no NaN.
    @Test(arguments: KernelSet.available)
    func clampKeepsNaN(_ kernels: KernelSet) {
        let zeros = [Float](repeating: 0, count: kernels.lanes)
        var values = zeros
        (values[0], values[1], values[2]) = (.nan, .infinity, -.infinity)
        let output = GuardedBuffer(zeros)
        kernels.addRows(
            values, aRowStep: 0, zeros, bRowStep: 0, output: output.start, outputRowStep: 0, rows: 1, columns: 1,
            minimum: 0, maximum: 6)
        #expect(output.elements[0].isNaN && output.elements[1] == 6 && output.elements[2] == 0)
    }
}
