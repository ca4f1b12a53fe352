import MartletTestSupport
import Testing

@testable import MartletInference

/// A convolution through Winograd's transforms, and by brute force.
private struct WinogradCase: CustomStringConvertible {
    var tile: WinogradTile
    var kernels: KernelSet
    var inputs, outputs, height, width, chunk: Int
    var minimum = -Float.infinity
    var maximum = Float.infinity
    var withResidual = false
    var inPlace = false

    var description: String {
        "\(kernels.instructionSet) \(ConvolutionAlgorithm.winograd(tile).title) \(inputs) to \(outputs) channels, \(height) x \(width), \(chunk) tiles at once"
    }

    /// `[blocks][rows][columns][lanes]` with a border, the lanes past the last channel zero.
    func blocked(
        _ x: [Float], channels: Int, extent: (height: Int, width: Int), rows: Int, columns: Int, border: Int
    ) -> [Float] {
        let lanes = kernels.lanes
        var result = [Float](repeating: 0, count: (channels + lanes - 1) / lanes * rows * columns * lanes)
        for channel in 0..<channels {
            for y in 0..<extent.height {
                for x_ in 0..<extent.width {
                    let pixel = (channel / lanes * rows + y + border) * columns + x_ + border
                    result[pixel * lanes + channel % lanes] = x[(channel * extent.height + y) * extent.width + x_]
                }
            }
        }
        return result
    }

    /// Runs both; returns the result `[outputs, height, width]`, what it should be, and whether nothing outside the
    /// output was written.
    func run(_ generator: inout SeededGenerator) -> (found: [Float], expected: [Double], clean: Bool) {
        let lanes = kernels.lanes
        let (m, side, taps, border) = (tile.size, tile.points, tile.taps, tile.taps / 2)
        let (tileRows, tilesPerRow) = ((height + m - 1) / m, (width + m - 1) / m)
        let tiles = tileRows * tilesPerRow
        let (inputBlocks, outputBlocks) = ((inputs + lanes - 1) / lanes, (outputs + lanes - 1) / lanes)

        // With a stride, the last row of the image may or may not be seen.
        let spare = generator.integer(0...(tile.stride - 1))
        let extent = (height: height * tile.stride - spare, width: width * tile.stride - spare)
        let x = generator.floats(inputs * extent.height * extent.width)
        let weight = generator.floats(outputs * inputs * taps * taps)
        let bias = generator.floats(outputs)
        let addend = generator.floats(outputs * height * width)

        let rows = max(extent.height + border, (tileRows * m - 1) * tile.stride + taps)
        let columns = max(extent.width + border, (tilesPerRow * m - 1) * tile.stride + taps)
        let image = blocked(x, channels: inputs, extent: extent, rows: rows, columns: columns, border: border)
        let biases = bias + [Float](repeating: 0, count: outputBlocks * lanes - outputs)
        let outputRowStep = (width + 2) * lanes
        let residual = blocked(
            addend, channels: outputs, extent: (height, width), rows: height + 2, columns: width + 2, border: 1)
        let blockStep = (height + 2) * outputRowStep
        var output = inPlace ? residual : [Float](repeating: 777, count: residual.count)
        let before = output

        var packed = [Float](
            repeating: .nan, count: winogradWeightCount(tile, outputs: outputs, inputs: inputs, lanes: lanes))
        packed.withUnsafeMutableBufferPointer {
            for pair in (0..<((outputBlocks + 1) / 2)).reversed() {
                packWinogradWeights(
                    tile, kernel: weight, outputs: outputs, inputs: inputs, lanes: lanes, pairs: pair..<(pair + 1),
                    into: $0.baseAddress!)
            }
        }

        let origin = outputRowStep + lanes
        var first = 0
        while first < tiles {
            let count = min(chunk, tiles - first)
            // Something to spare between positions, as a planner will want.
            let inputStep = inputBlocks * count * lanes + 8
            let outputStep = outputBlocks * count * lanes + 8
            var spread = [Float](repeating: .nan, count: side * side * inputStep)
            for block in 0..<inputBlocks {
                spread.withUnsafeMutableBufferPointer { spread in
                    image.withUnsafeBufferPointer { image in
                        kernels.winogradInput(
                            tile, input: image.baseAddress! + block * rows * columns * lanes,
                            inputRowStep: columns * lanes, tilesPerRow: tilesPerRow, firstTile: first,
                            tileCount: count, output: spread.baseAddress! + block * count * lanes,
                            positionStep: inputStep)
                    }
                }
            }
            var products = [Float](repeating: .nan, count: side * side * outputStep)
            for position in 0..<(side * side) {
                let kernel = (0..<tile.kernelPositions).first { kernel in
                    tile.positions(ofKernel: kernel).contains { $0.index == position }
                }!
                var weights = kernel * outputBlocks * inputs * lanes
                for pair in stride(from: 0, to: outputBlocks, by: 2) {
                    let width = min(2, outputBlocks - pair) * lanes
                    for tile in 0..<count {
                        for output in 0..<width {
                            var sum: Float = 0
                            for input in 0..<inputs {
                                let v =
                                    position * inputStep + (input / lanes * count + tile) * lanes + input % lanes
                                sum += spread[v] * packed[weights + input * width + output]
                            }
                            let block = pair + output / lanes
                            products[position * outputStep + (block * count + tile) * lanes + output % lanes] = sum
                        }
                    }
                    weights += inputs * width
                }
            }
            for block in 0..<outputBlocks {
                output.withUnsafeMutableBufferPointer { output in
                    products.withUnsafeBufferPointer { products in
                        residual.withUnsafeBufferPointer { residual in
                            biases.withUnsafeBufferPointer { biases in
                                let target = output.baseAddress! + block * blockStep + origin
                                let other: UnsafePointer<Float>? =
                                    !withResidual
                                    ? nil
                                    : inPlace
                                        ? UnsafePointer(target) : residual.baseAddress! + block * blockStep + origin
                                kernels.winogradOutput(
                                    tile, products: products.baseAddress! + block * count * lanes,
                                    positionStep: outputStep, tilesPerRow: tilesPerRow, firstTile: first,
                                    tileCount: count, bias: biases.baseAddress! + block * lanes, residual: other,
                                    residualRowStep: outputRowStep, output: target, outputRowStep: outputRowStep,
                                    outputRows: height, outputColumns: width, minimum: minimum, maximum: maximum)
                            }
                        }
                    }
                }
            }
            first += count
        }

        let after = zip([height, width], [extent.height, extent.width]).map { output, input in
            (output - 1) * tile.stride + taps - border - input
        }
        let oracle = WindowOracle(
            input: [extent.height, extent.width], kernel: [taps, taps], strides: [tile.stride, tile.stride],
            dilations: [1, 1], before: [border, border], after: after, output: [height, width])
        var expected = oracle.convolution(x, images: 1, channels: inputs, weight: weight, outputs: outputs, bias: bias)
        for i in expected.indices {
            if withResidual { expected[i] += Double(addend[i]) }
            expected[i] = min(max(expected[i], Double(minimum)), Double(maximum))
        }
        var found: [Float] = []
        var inside = Set<Int>()
        for channel in 0..<(outputBlocks * lanes) {
            for y in 0..<height {
                for x in 0..<width {
                    let index = channel / lanes * blockStep + origin + y * outputRowStep + x * lanes + channel % lanes
                    inside.insert(index)
                    if channel < outputs { found.append(output[index]) }
                }
            }
        }
        let clean = output.indices.allSatisfy { inside.contains($0) || output[$0] == before[$0] }
        return (found, expected, clean)
    }
}

@Suite struct WinogradTests {
    @Test(arguments: KernelSet.available, WinogradTile.allCases)
    func convolves(kernels: KernelSet, tile: WinogradTile) {
        var generator = SeededGenerator(seed: 41)
        for round in 0..<24 {
            var problem = WinogradCase(
                tile: tile, kernels: kernels, inputs: generator.integer(1...(2 * kernels.lanes + 1)),
                outputs: generator.integer(1...(3 * kernels.lanes)), height: generator.integer(1...11),
                width: generator.integer(1...11), chunk: generator.integer(1...7))
            if round % 3 != 0 { (problem.minimum, problem.maximum) = (-0.25, 2.5) }
            problem.withResidual = round % 2 == 0
            problem.inPlace = round % 4 == 0
            let (found, expected, clean) = problem.run(&generator)
            // Clamping makes the scale small, while the sums grow with the root of their terms: the bounds of `isAccurate`
            // are the tight ones.
            let bound = ([.f2x3, .f2x3By2].contains(tile) ? 2e-6 : 1e-5) * Double(tile.taps) / 3
            #expect(relativeDifference(found, expected) < bound, "\(problem)")
            #expect(clean, "\(problem)")
        }
    }

    @Test(arguments: KernelSet.available, WinogradTile.allCases)
    func passesOnNaN(kernels: KernelSet, tile: WinogradTile) {
        let lanes = kernels.lanes
        let count = tile.positions * lanes
        let products = [Float](repeating: .nan, count: count)
        let bias = [Float](repeating: 0, count: lanes)
        let pixels = tile.size * tile.size
        let result = guarded(pixels * lanes) { output in
            for i in 0..<(pixels * lanes) { output[i] = 1 }
            kernels.winogradOutput(
                tile, products: products, positionStep: lanes, tilesPerRow: 1, firstTile: 0, tileCount: 1, bias: bias,
                residual: nil, residualRowStep: 0, output: output, outputRowStep: tile.size * lanes,
                outputRows: tile.size, outputColumns: tile.size, minimum: 0, maximum: 6)
        }
        #expect(result.allSatisfy { $0.isNaN })
    }

    /// The error of many channels, such as the networks have, against double precision.
    @Test(arguments: KernelSet.available, WinogradTile.allCases)
    func isAccurate(kernels: KernelSet, tile: WinogradTile) {
        var generator = SeededGenerator(seed: 42)
        let problem = WinogradCase(
            tile: tile, kernels: kernels, inputs: 128, outputs: 4, height: 12, width: 12, chunk: 9)
        let (found, expected, _) = problem.run(&generator)
        let error = relativeDifference(found, expected)
        #expect(error < ([.f2x3, .f2x3By2].contains(tile) ? 1e-6 : 3e-6), "\(problem): \(error)")
        print("\(problem): \(error)")
    }
}
