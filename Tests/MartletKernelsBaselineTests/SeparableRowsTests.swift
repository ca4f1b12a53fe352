import MartletTestSupport
import Testing

@testable import MartletInference

/// `separableRows` of every instruction set against sums in double.
@Suite struct SeparableRowsTests {
    @Test(arguments: KernelSet.available) func everyWidth(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 31)
        let c = kernels.lanes
        for columns in 1...11 {
            for rows in 1...3 {
                let inputRowStep = (columns + 2) * c
                let outputRowStep = (columns + 1) * c
                let input = GuardedBuffer(generator.floats((rows + 2) * inputRowStep))
                let weights = GuardedBuffer(generator.floats(6 * c))
                let bias = GuardedBuffer(generator.floats(c))
                let output = GuardedBuffer(generator.floats(rows * outputRowStep))
                let other = GuardedBuffer(generator.floats(rows * columns * c))
                let clamp = clampChoices[columns % 3]
                let residual: (start: UnsafePointer<Float>, rowStep: Int)? =
                    switch (columns + rows) % 3 {
                    case 0: nil
                    case 1: (UnsafePointer(other.start), columns * c)
                    default: (UnsafePointer(output.start), outputRowStep)
                    }
                var expected = output.elements.map(Double.init)
                for (y, x, o) in positions(rows, columns, c) {
                    var sum = Double(bias.start[o])
                    if let residual { sum += Double(residual.start[y * residual.rowStep + x * c + o]) }
                    for tap in 0..<9 {
                        let kernel =
                            Double(weights.start[tap / 3 * c + o]) * Double(weights.start[(3 + tap % 3) * c + o])
                        sum += kernel * Double(input.start[(y + tap / 3) * inputRowStep + (x + tap % 3) * c + o])
                    }
                    expected[y * outputRowStep + x * c + o] =
                        min(max(sum, Double(clamp.minimum)), Double(clamp.maximum))
                }
                kernels.separableRows(
                    input: input.start, inputRowStep: inputRowStep, weights: weights.start, bias: bias.start,
                    residual: residual?.start, residualRowStep: residual?.rowStep ?? 0, output: output.start,
                    outputRowStep: outputRowStep, rows: rows, columns: columns, minimum: clamp.minimum,
                    maximum: clamp.maximum)
                #expect(relativeDifference(output.elements, expected) < 12 * 0x1p-24, "\(rows) x \(columns)")
                let intact = [input, weights, bias, output, other].allSatisfy { $0.isIntact }
                #expect(intact, "\(rows) x \(columns)")
            }
        }
    }

    private func positions(_ rows: Int, _ columns: Int, _ c: Int) -> [(Int, Int, Int)] {
        (0..<rows * columns * c).map { ($0 / (columns * c), $0 / c % columns, $0 % c) }
    }
}
