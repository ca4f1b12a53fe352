import MartletTestSupport
import Testing

@testable import MartletInference

/// `convolveRows` and `depthwiseRows` of every instruction set against sums in double.
@Suite struct BlockedConvolutionTests {
    /// Every number of columns meets every way of cutting it into strips.
    @Test(arguments: KernelSet.available)
    func everyWidth(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 11)
        for columns in 1...40 {
            for rows in 1...3 {
                var problem = BlockedConvolutionCase(lanesOfSet: kernels.lanes)
                (problem.rows, problem.columns, problem.gap) = (rows, columns, columns % 3)
                problem.lanes = generator.integer(1...3)
                problem.kernel = [1, 2]
                problem.vectors = 1 + columns % 2
                problem.residual = ResidualChoice.allCases[(columns + rows) % 3]
                problem.clamp = clampChoices[columns % 3]
                problem.check(kernels, &generator)
                problem.vectors = 3 - problem.vectors
                problem.check(kernels, &generator)
                (problem.lanes, problem.vectors) = (nil, 1)
                problem.check(kernels, &generator)
            }
        }
    }

    @Test(arguments: KernelSet.available)
    func randomProblems(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<60 {
            var problem = BlockedConvolutionCase(lanesOfSet: kernels.lanes)
            problem.kernel = [generator.integer(1...4), generator.integer(1...4)]
            problem.stride = [generator.integer(1...3), generator.integer(1...3)]
            problem.dilation = [generator.integer(1...3), generator.integer(1...3)]
            problem.residual = ResidualChoice.allCases[generator.integer(0...2)]
            problem.clamp = clampChoices[generator.integer(0...2)]
            problem.gap = generator.integer(0...3)
            problem.rows = generator.integer(1...9)
            problem.columns = generator.integer(1...20)
            problem.lanes = nil
            problem.check(kernels, &generator)
            problem.vectors = generator.integer(1...2)
            problem.blocks = generator.integer(1...3)
            let whole = generator.integer(0...1) == 0
            problem.lanes = whole ? kernels.lanes : generator.integer(1...kernels.lanes)
            let products = problem.kernel[0] * problem.kernel[1] * problem.blocks * kernels.lanes * kernels.lanes
            problem.rows = max(1, min(problem.rows, 60000 / (products * problem.columns)))
            if whole { problem.lastLanes = generator.integer(1...kernels.lanes) }
            problem.check(kernels, &generator)
        }
    }

    /// Three channels in pixels of four floats, read with the stem's strides.
    @Test(arguments: KernelSet.available)
    func images(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 13)
        for (kernel, stride) in [(7, 2), (11, 4), (3, 1), (3, 2)] {
            var problem = BlockedConvolutionCase(lanesOfSet: kernels.lanes)
            (problem.pixelStep, problem.lanes, problem.vectors) = (4, 3, 2)
            (problem.rows, problem.columns) = (3, 17)
            (problem.kernel, problem.stride) = ([kernel, kernel], [stride, stride])
            problem.clamp = clampChoices[1]
            problem.check(kernels, &generator)
        }
    }

    /// However the output is cut, each pixel has the same bits: threads may share a layer in any way.
    @Test(arguments: KernelSet.available)
    func piecesHaveTheSameBits(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 14)
        let c = kernels.lanes
        let (rows, columns) = (5, 31)
        let input = generator.floats((rows + 2) * (columns + 2) * c)
        let rowStep = (columns + 2) * c
        let offsets = (0..<9).map { ($0 / 3) * rowStep + ($0 % 3) * c }
        let weights = generator.floats(9 * c * c)
        let bias = generator.floats(c)
        func run(_ pieces: [(rows: Range<Int>, columns: Range<Int>)]) -> [UInt32] {
            var output = [Float](repeating: 0, count: rows * columns * c)
            output.withUnsafeMutableBufferPointer { output in
                input.withUnsafeBufferPointer { input in
                    guard let output = output.baseAddress, let input = input.baseAddress else { return }
                    for piece in pieces {
                        let (y, x) = (piece.rows.lowerBound, piece.columns.lowerBound)
                        kernels.convolveRows(
                            input: input + y * rowStep + x * c, inputRowStep: rowStep, inputColumnStep: c,
                            offsets: offsets, offsetCount: 9, lanes: c, wholeCount: 9, lastLanes: 0,
                            weights: weights, vectors: 1, bias: bias,
                            residual: nil, residualRowStep: 0, residualBlockStep: 0,
                            output: output + (y * columns + x) * c, outputRowStep: columns * c, outputBlockStep: 0,
                            rows: piece.rows.count, columns: piece.columns.count, minimum: 0, maximum: .infinity)
                    }
                }
            }
            return output.map(\.bitPattern)
        }
        let whole = run([(0..<rows, 0..<columns)])
        let worked = whole.contains { $0 != 0 }
        #expect(worked)
        #expect(run([(0..<1, 0..<columns), (1..<4, 0..<columns), (4..<5, 0..<columns)]) == whole)
        for cut in 1..<columns {
            #expect(run([(0..<rows, 0..<cut), (0..<rows, cut..<columns)]) == whole)
        }
    }

    /// No taps, no channels to read: the bias remains. Nothing to write: nothing is written.
    @Test(arguments: KernelSet.available)
    func emptyProblems(_ kernels: KernelSet) {
        let c = kernels.lanes
        let bias = [Float](repeating: 0.25, count: c)
        for (taps, rows, columns) in [(0, 1, 3), (1, 0, 3), (1, 1, 0)] {
            let output = GuardedBuffer([Float](repeating: 9, count: 3 * c))
            kernels.convolveRows(
                input: bias, inputRowStep: 0, inputColumnStep: 0, offsets: [0], offsetCount: taps, lanes: 1,
                wholeCount: taps, lastLanes: 0, weights: bias, vectors: 1, bias: bias, residual: nil,
                residualRowStep: 0, residualBlockStep: 0,
                output: output.start, outputRowStep: 3 * c, outputBlockStep: 0, rows: rows, columns: columns,
                minimum: -.infinity, maximum: .infinity)
            let expected: Float = taps == 0 ? 0.25 : 9
            #expect(output.elements == [Float](repeating: expected, count: 3 * c) && output.isIntact)
        }
    }
}
