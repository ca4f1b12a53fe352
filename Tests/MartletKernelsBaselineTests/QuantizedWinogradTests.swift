import MartletTestSupport
import Testing

@testable import MartletInference

/// Winograd's filtering of bytes: the exact parts exactly, the rest against the convolution.
@Suite struct QuantizedWinogradTests {
    /// The rows of B^T for the points 0, 1, -1, 2, -2 and infinity.
    private static let inputRows: [[Int]] = [
        [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    private static let outputRows: [[Double]] = [
        [1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1],
    ]

    @Test(arguments: QuantizedKernelSet.available) func inputTransformsAreExact(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 81)
        let (tilesPerRow, tileRows) = (3, 2)
        let rowStep = (4 * tilesPerRow + 2) * 16
        var bytes = generator.bytes((4 * tileRows + 2) * rowStep)
        // The largest there can be.
        for i in 0..<rowStep { bytes[i] = i % 32 < 16 ? 0 : 255 }
        let (first, count) = (1, 4)
        let step = count * 32 + 64
        let output = GuardedBytes([UInt8](repeating: 0, count: 36 * step))
        output.with {
            kernels.winogradQuantizedInput(
                input: bytes, inputRowStep: rowStep, tilesPerRow: tilesPerRow, firstTile: first, tileCount: count,
                output: $0, positionStep: step)
        }
        let found = output.elements
        for index in 0..<count {
            let tile = first + index
            let origin = tile / tilesPerRow * 4 * rowStep + tile % tilesPerRow * 4 * 16
            for position in 0..<36 {
                let (a, b) = (Self.inputRows[position / 6], Self.inputRows[position % 6])
                for lane in 0..<16 {
                    var sum = 0
                    for y in 0..<6 {
                        for x in 0..<6 {
                            let byte = bytes[origin + y * rowStep + x * 16 + lane]
                            sum += a[y] * b[x] * (Int(byte) - 128)
                        }
                    }
                    let place = position * step + index * 32 + lane * 2
                    let (low, high) = (UInt16(found[place]), UInt16(found[place + 1]))
                    let half = Int16(bitPattern: low | high << 8)
                    #expect(Int(half) == sum)
                }
            }
        }
        #expect(output.isIntact)
    }

    @Test(arguments: QuantizedKernelSet.available) func productsOfPairs(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 82)
        let c = kernels.lanes
        for columns in 1...17 {
            let (vectors, blocks, pairs, lastPairs) = (1 + columns % 2, 2, 8, columns % 8 + 1)
            let x = (0..<blocks * columns * 2 * pairs).map { _ in Int16.random(in: -12_800...12_800, using: &generator)
            }
            let w = (0..<(pairs + lastPairs) * vectors * c * 2).map { _ in
                Int16.random(in: -300...300, using: &generator)
            }
            let factors = (0..<vectors * c).map { _ in Float.random(in: 0.5...1, using: &generator) }
            var output = [Float](repeating: -1, count: vectors * columns * c)
            x.withUnsafeBytes { bytes in
                w.withUnsafeBytes { weights in
                    kernels.multiplyPairs(
                        input: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), inputColumnStep: 4 * pairs,
                        offsets: [0, columns * 4 * pairs], offsetCount: blocks,
                        channels: ChannelsRead(2 * (pairs + lastPairs), blockLanes: 2 * pairs, unit: 2),
                        weights: weights.baseAddress!, vectors: vectors, factors: factors, output: &output,
                        outputVectorStep: columns * c, columns: columns)
                }
            }
            for v in 0..<vectors {
                for column in 0..<columns {
                    for o in 0..<c {
                        var sum: Int32 = 0
                        for i in 0..<blocks {
                            for k in 0..<2 * (i == 0 ? pairs : lastPairs) {
                                let place = ((i * pairs + k / 2) * vectors + v) * c + o
                                let number = x[(i * columns + column) * 2 * pairs + k]
                                sum += Int32(number) * Int32(w[place * 2 + k % 2])
                            }
                        }
                        #expect(output[(v * columns + column) * c + o] == Float(sum) * factors[v * c + o])
                    }
                }
            }
        }
    }

    @Test(arguments: QuantizedKernelSet.available) func outputTransforms(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 83)
        let c = kernels.lanes
        for (rows, columns) in [(8, 8), (5, 7), (1, 2)] {
            let tilesPerRow = (columns + 3) / 4
            let count = tilesPerRow * ((rows + 3) / 4)
            let step = count * c + 16
            var products = generator.floats(36 * step).map { $0 * 40 }
            let before = products
            let bias = generator.floats(c)
            var rounding = Rounding()
            rounding.zeroPoint = 120
            rounding.first = (0.7123, -100, 100)
            let residual = generator.bytes(rows * columns * 16)
            let output = GuardedBytes(generator.bytes(rows * columns * 16))
            let old = output.elements
            output.with {
                kernels.winogradQuantizedOutput(
                    products: &products, positionStep: step, tilesPerRow: tilesPerRow, firstTile: 0, tileCount: count,
                    bias: bias, settings: rounding.settings, residual: residual, residualRowStep: columns * 16,
                    output: $0, outputRowStep: columns * 16, outputRows: rows, outputColumns: columns)
            }
            let found = output.elements
            var differences = 0
            for y in 0..<rows {
                for x in 0..<columns {
                    for lane in 0..<16 {
                        let place = (y * columns + x) * 16 + lane
                        if lane >= c {
                            #expect(found[place] == old[place])
                            continue
                        }
                        var value = Double(bias[lane])
                        let (a, b) = (Self.outputRows[y % 4], Self.outputRows[x % 4])
                        let tile = y / 4 * tilesPerRow + x / 4
                        for position in 0..<36 {
                            value +=
                                a[position / 6] * b[position % 6] * Double(before[position * step + tile * c + lane])
                        }
                        let first = min(max(value, -100), 100)
                        // Single precision decides what is near a half.
                        let isNearHalf = abs(abs(first - first.rounded(.down)) - 0.5) < 1e-2
                        var exact = first.rounded(.toNearestOrEven) * Double(Float(0.7123))
                        exact += (Double(residual[place]) - 131) * 0.75
                        exact = min(max(exact, -120), 135) + 120
                        if isNearHalf { continue }
                        if !Rounding.agrees(found[place], exact) { differences += 1 }
                    }
                }
            }
            #expect(differences == 0 && output.isIntact)
        }
    }

    /// No input can make a sum of products leave 32 bits, and the rounded kernels are close to what they stand for.
    @Test func kernelsAreAsFineAsSumsAllow() {
        var generator = SeededGenerator(seed: 84)
        let gains = Self.inputRows.map { $0.reduce(0) { $0 + abs($1) } }
        for (inputs, largest) in [(1, 127), (16, 127), (512, 127), (300, 3)] {
            let kernel = (0..<inputs * 9).map { _ in Int8.random(in: Int8(-largest)...Int8(largest), using: &generator)
            }
            let transformed = kernel.withUnsafeBufferPointer { QuantizedWinogradKernel($0, inputs: inputs) }
            for position in 0..<36 {
                let row = transformed.weights[position * inputs..<(position + 1) * inputs]
                let sum = row.reduce(0) { $0 + abs(Int($1)) }
                #expect(128 * gains[position / 6] * gains[position % 6] * sum <= Int(Int32.max))
                // With fewer inputs than would fill the sums, a weight has all its bits.
                if inputs == 1 { #expect(row.allSatisfy { abs(Int($0)) == 32_767 || $0 == 0 }) }
            }
            // The last position is the kernel's last tap.
            for input in 0..<inputs {
                let found = Double(transformed.weights[35 * inputs + input]) * transformed.steps[35]
                #expect(abs(found - Double(kernel[input * 9 + 8])) <= 0.5001 * transformed.steps[35])
            }
        }
    }
}
