import Foundation
import MartletTestSupport
import Testing

@testable import MartletInference

/// One or more channel blocks with a border of NaN, which kernels must not take for pixels.
struct BlockedPlanes {
    let lanes, channels, rows, columns: Int
    let border = 2
    var elements: [Float]

    var rowStep: Int { (columns + 2 * border) * lanes }
    var blockStep: Int { (rows + 2 * border) * rowStep }
    var blocks: Int { (channels + lanes - 1) / lanes }
    /// The place of pixel (0, 0) of block 0.
    var origin: Int { border * rowStep + border * lanes }

    /// `[channels][rows][columns]` brought to the layout; the lanes past the last channel hold 3.
    init(_ values: [Float], lanes: Int, channels: Int, rows: Int, columns: Int) {
        (self.lanes, self.channels, self.rows, self.columns) = (lanes, channels, rows, columns)
        elements = []
        elements = [Float](repeating: .nan, count: blocks * blockStep)
        for channel in 0..<(blocks * lanes) {
            for y in 0..<rows {
                for x in 0..<columns {
                    elements[index(channel, y, x)] =
                        channel < channels ? values[(channel * rows + y) * columns + x] : 3
                }
            }
        }
    }

    func index(_ channel: Int, _ y: Int, _ x: Int) -> Int {
        origin + channel / lanes * blockStep + y * rowStep + x * lanes + channel % lanes
    }

    /// `[channels][rows][columns]` again.
    var values: [Float] {
        var result: [Float] = []
        for channel in 0..<channels {
            for y in 0..<rows { for x in 0..<columns { result.append(elements[index(channel, y, x)]) } }
        }
        return result
    }

    /// Whether the border is as it was.
    var isBorderUntouched: Bool {
        var copy = elements
        for channel in 0..<(blocks * lanes) {
            for y in 0..<rows { for x in 0..<columns { copy[index(channel, y, x)] = .nan } }
        }
        return copy.allSatisfy(\.isNaN)
    }
}

/// Pooling and normalization of blocks for every instruction set, against the oracles of the planar kernels.
@Suite struct BlockedPoolingTests {
    /// Windows of two axes: those that networks have, then random ones.
    private func forEachWindow(
        seed: UInt64, _ body: (WindowOracle, inout SeededGenerator) throws -> Void
    ) rethrows {
        var generator = SeededGenerator(seed: seed)
        for kernel in [2, 3] {
            for stride in [1, 2] {
                for before in 0..<kernel {
                    for extra in 0...1 {
                        for (height, width) in [(7, 9), (8, 6), (3, 3), (2, 14)] {
                            let output = [height, width].map { ($0 + 2 * before - kernel) / stride + 1 + extra }
                            if zip(output, [height, width]).contains(where: {
                                $0.0 < 1 || ($0.0 - 1) * stride >= $0.1 + before
                            }) {
                                continue
                            }
                            let oracle = WindowOracle(
                                input: [height, width], kernel: [kernel, kernel], strides: [stride, stride],
                                dilations: [1, 1], before: [before, before], after: [before, before], output: output)
                            try body(oracle, &generator)
                        }
                    }
                }
            }
        }
        for round in 0..<80 {
            try body(.random(axes: 2, ceils: round % 2 == 0, using: &generator), &generator)
        }
    }

    /// Pools one block, its rows in two parts, into a guarded result.
    private func pool(
        _ kernels: KernelSet, _ window: WindowOracle, _ x: [Float], firstPart: Int, countsPadding: Bool?
    ) -> BlockedPlanes {
        let source = BlockedPlanes(
            x, lanes: kernels.lanes, channels: kernels.lanes, rows: window.input[0], columns: window.input[1])
        let (rows, columns) = (window.output[0], window.output[1])
        var target = BlockedPlanes(
            [Float](repeating: 777, count: kernels.lanes * rows * columns), lanes: kernels.lanes,
            channels: kernels.lanes, rows: rows, columns: columns)
        let (origin, rowStep) = (target.origin, target.rowStep)
        source.elements.withUnsafeBufferPointer { source_ in
            target.elements.withUnsafeMutableBufferPointer { target in
                for (first, count) in [(0, firstPart), (firstPart, rows - firstPart)] {
                    let input = source_.baseAddress! + source.origin
                    let output = target.baseAddress! + origin
                    if let countsPadding {
                        kernels.averagePoolRows(
                            input: input, inputRowStep: source.rowStep, inputRows: window.input[0],
                            inputColumns: window.input[1], kernelRows: window.kernel[0],
                            kernelColumns: window.kernel[1], rowStride: window.strides[0],
                            columnStride: window.strides[1], rowDilation: window.dilations[0],
                            columnDilation: window.dilations[1], top: window.before[0], left: window.before[1],
                            bottom: window.after[0], right: window.after[1], countsPadding: countsPadding,
                            output: output, outputRowStep: rowStep, firstRow: first, rows: count, columns: columns)
                    } else {
                        kernels.maxPoolRows(
                            input: input, inputRowStep: source.rowStep, inputRows: window.input[0],
                            inputColumns: window.input[1], kernelRows: window.kernel[0],
                            kernelColumns: window.kernel[1], rowStride: window.strides[0],
                            columnStride: window.strides[1], rowDilation: window.dilations[0],
                            columnDilation: window.dilations[1], top: window.before[0], left: window.before[1],
                            output: output, outputRowStep: rowStep, firstRow: first, rows: count, columns: columns)
                    }
                }
            }
        }
        return target
    }

    @Test(arguments: KernelSet.available)
    func maximum(_ kernels: KernelSet) {
        forEachWindow(seed: 51) { window, generator in
            let x = generator.floats(kernels.lanes * window.inputCount)
            let result = pool(
                kernels, window, x, firstPart: generator.integer(0...window.output[0]), countsPadding: nil)
            let expected = window.maxPool(x, planes: kernels.lanes)
            #expect(relativeDifference(result.values, expected) == 0, "\(window)")
            #expect(result.isBorderUntouched, "\(window)")
        }
    }

    @Test(arguments: KernelSet.available, [false, true])
    func average(_ kernels: KernelSet, countsPadding: Bool) {
        forEachWindow(seed: 52) { window, generator in
            let x = generator.floats(kernels.lanes * window.inputCount)
            let result = pool(
                kernels, window, x, firstPart: generator.integer(0...window.output[0]), countsPadding: countsPadding)
            let expected = window.averagePool(x, planes: kernels.lanes, countsPadding: countsPadding)
            #expect(relativeDifference(result.values, expected) < 1e-6, "\(window)")
            #expect(result.isBorderUntouched, "\(window)")
        }
    }

    @Test(arguments: KernelSet.available, [2, 3])
    func maximumPassesOverNaN(_ kernels: KernelSet, size: Int) {
        let window = WindowOracle(
            input: [size, size + 1], kernel: [size, size], strides: [1, 1], dilations: [1, 1], before: [0, 0],
            after: [0, 0], output: [1, 2])
        var x = [Float](repeating: .nan, count: kernels.lanes * window.inputCount)
        for lane in 0..<(kernels.lanes - 1) { x[lane * window.inputCount + 1] = Float(-1 - lane) }
        let found = pool(kernels, window, x, firstPart: 1, countsPadding: nil).values
        let expected = (0..<kernels.lanes).flatMap { lane in
            [Float](repeating: lane < kernels.lanes - 1 ? Float(-1 - lane) : -.infinity, count: 2)
        }
        #expect(found == expected)
    }

    @Test(arguments: KernelSet.available)
    func globalAverage(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 53)
        for (rows, columns) in [(1, 1), (7, 7), (3, 5), (13, 4), (56, 56)] {
            let x = generator.floats(kernels.lanes * rows * columns).map { $0 + 1 }
            let source = BlockedPlanes(
                x, lanes: kernels.lanes, channels: kernels.lanes, rows: rows, columns: columns)
            let found = guarded(kernels.lanes) { output in
                source.elements.withUnsafeBufferPointer {
                    kernels.globalAverageRows(
                        input: $0.baseAddress! + source.origin, inputRowStep: source.rowStep, rows: rows,
                        columns: columns, output: output)
                }
            }
            let count = rows * columns
            let expected = (0..<kernels.lanes).map { lane in
                x[(lane * count)..<((lane + 1) * count)].reduce(0) { $0 + Double($1) } / Double(count)
            }
            #expect(relativeDifference(found, expected) < 3e-7)
        }
    }

    @Test(arguments: KernelSet.available)
    func localResponseNormalization(_ kernels: KernelSet) {
        var generator = SeededGenerator(seed: 54)
        for round in 0..<40 {
            let size = [5, 1, 2, 3, 7, 2 * kernels.lanes + 5, 5, 5][round % 8]
            let channels = generator.integer(1...(3 * kernels.lanes))
            let (rows, columns) = (generator.integer(1...4), generator.integer(1...19))
            let beta = [Float(0.75), 0.5, 0.75, 1.2][round % 4]
            let alpha = Float(round % 3 == 0 ? 1e-4 : 2.5)
            let x = generator.floats(channels * rows * columns).map { $0 * 10 }
            var planes = BlockedPlanes(x, lanes: kernels.lanes, channels: channels, rows: rows, columns: columns)
            let (origin, blockStep, rowStep) = (planes.origin, planes.blockStep, planes.rowStep)
            _ = guarded(8 * (channels + size + 2 * kernels.lanes)) { scratch in
                planes.elements.withUnsafeMutableBufferPointer {
                    let place = $0.baseAddress! + origin
                    kernels.localResponseNormalizationRows(
                        input: place, inputBlockStep: blockStep, inputRowStep: rowStep, output: place,
                        outputBlockStep: blockStep, outputRowStep: rowStep, channels: channels, rows: rows,
                        columns: columns, size: size, alpha: alpha, beta: beta, bias: 1.5, scratch: scratch)
                }
            }
            var expected: [Double] = []
            for channel in 0..<channels {
                for pixel in 0..<(rows * columns) {
                    let first = max(0, channel - (size - 1) / 2)
                    let last = min(channels - 1, channel + size / 2)
                    let sum = (first...last).reduce(0.0) { $0 + pow(Double(x[$1 * rows * columns + pixel]), 2) }
                    let value = Double(x[channel * rows * columns + pixel])
                    expected.append(value / pow(1.5 + Double(alpha) / Double(size) * sum, Double(beta)))
                }
            }
            #expect(relativeDifference(planes.values, expected) < 1e-6, "size \(size), beta \(beta)")
            #expect(planes.isBorderUntouched)
        }
    }
}
