import MartletTestSupport
import Testing

@testable import MartletInference

@Suite struct FoldRowTests {
    @Test(arguments: KernelSet.available) func dealsPixelsOutAmongChannels(kernels: KernelSet) {
        var generator = SeededGenerator(seed: 17)
        let lanes = kernels.lanes
        for round in 0..<40 {
            let stride = generator.integer(2...5)
            let channels = generator.integer(1...4)
            let (inputRows, inputColumns) = (generator.integer(1...9), generator.integer(1...23))
            let (firstRow, firstColumn) = (generator.integer(-6...9), generator.integer(-6...4))
            let columns = generator.integer(1...12)
            let folded = channels * stride * stride
            let blocks = (folded + lanes - 1) / lanes
            let blockStep = (columns + 1) * lanes
            let input = generator.floats(channels * inputRows * inputColumns)
            let output = guarded(blocks * blockStep) { target in
                for i in 0..<blocks * blockStep { target[i] = 777 }
                kernels.foldRow(
                    input: input, inputChannelStep: inputRows * inputColumns, inputRows: inputRows,
                    inputColumns: inputColumns, channels: channels, stride: stride, firstRow: firstRow,
                    firstColumn: firstColumn, output: target, outputBlockStep: blockStep, columns: columns)
            }
            var expected = [Float](repeating: 777, count: output.count)
            for index in 0..<blocks * lanes {
                let (channel, p, q) = (index / (stride * stride), index / stride % stride, index % stride)
                for x in 0..<columns {
                    let (row, column) = (firstRow + p, firstColumn + x * stride + q)
                    let isInside = (0..<inputRows).contains(row) && (0..<inputColumns).contains(column)
                    expected[index / lanes * blockStep + x * lanes + index % lanes] =
                        index < folded && isInside ? input[(channel * inputRows + row) * inputColumns + column] : 0
                }
            }
            #expect(output == expected, "round \(round)")
        }
    }
}
