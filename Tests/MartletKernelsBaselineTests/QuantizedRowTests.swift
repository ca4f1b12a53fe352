import MartletTestSupport
import Testing

@testable import MartletInference

/// Quantisation, sums and pooling of bytes against their definitions in double.
@Suite struct QuantizedRowTests {
    @Test(arguments: QuantizedKernelSet.available) func quantizing(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 73)
        for count in [1, 5, 16, 48, 67] {
            var values = generator.floats(count).map { $0 * 40 }
            values[0] = .infinity
            // Halves, which go to the even integer before the zero point is added.
            if count > 4 { (values[1], values[2], values[3]) = (0.25, 0.75, -.infinity) }
            let output = GuardedBytes([UInt8](repeating: 0, count: count))
            output.with {
                kernels.quantizeRow(
                    input: values, count: count, output: $0, outputStep: kernels.lanes, scale: 0.5, minimum: -7,
                    maximum: 248, zeroPoint: 7)
            }
            let expected = values.map { value -> UInt8 in
                let steps = (Double(value) / 0.5).rounded(.toNearestOrEven)
                return UInt8(min(max(steps, -7), 248) + 7)
            }
            #expect(output.elements == expected && output.isIntact)
            guard count % kernels.lanes == 0 else { continue }
            var back = [Float](repeating: 0, count: count)
            kernels.dequantizeRow(
                input: expected, inputStep: kernels.lanes, count: count, output: &back, scale: 0.5, zeroPoint: 7)
            #expect(back == expected.map { (Float($0) - 7) * 0.5 })
        }
    }

    @Test(arguments: QuantizedKernelSet.available) func quantizingPictures(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 76)
        for count in [1, 5, 16, 48, 67] {
            let step = count + 3
            var values = generator.floats(3 * step).map { $0 * 40 }
            (values[0], values[step], values[2 * step]) = (.infinity, 0.25, -.infinity)
            let output = GuardedBytes([UInt8](repeating: 0, count: 3 * count))
            output.with {
                kernels.quantizePictureRow(
                    input: values, channelStep: step, count: count, output: $0, scale: 0.5, minimum: -7, maximum: 248,
                    zeroPoint: 7)
            }
            let expected = (0..<3 * count).map { place -> UInt8 in
                let steps = (Double(values[place % 3 * step + place / 3]) / 0.5).rounded(.toNearestOrEven)
                return UInt8(min(max(steps, -7), 248) + 7)
            }
            #expect(output.elements == expected && output.isIntact)
        }
    }

    @Test(arguments: QuantizedKernelSet.available) func sums(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 74)
        for columns in [1, 3, 8] {
            let (rows, step) = (3, (columns + 1) * 16)
            let (a, b) = (generator.bytes(rows * step), generator.bytes(rows * step))
            let settings: [Float] = [-9, 246, Float(bitPattern: 9), 0.6173, 12, 0.3119, 140]
            for hasB in [true, false] {
                let output = GuardedBytes(generator.bytes(rows * step))
                let before = output.elements
                b.withUnsafeBufferPointer { b in
                    output.with {
                        kernels.addQuantizedRows(
                            a, aRowStep: step, hasB ? b.baseAddress : nil, bRowStep: step, output: $0,
                            outputRowStep: step, rows: rows, columns: columns, settings: settings)
                    }
                }
                let agree = output.elements.enumerated().allSatisfy { place, byte in
                    if place % step >= columns * 16 { return byte == before[place] }
                    let left = (Double(a[place]) - 12) * Double(settings[3])
                    let right = hasB ? (Double(b[place]) - 140) * Double(settings[5]) : 0
                    return Rounding.agrees(byte, min(max(left + right, -9), 246) + 9)
                }
                #expect(agree && output.isIntact)
            }
        }
    }

    @Test(arguments: QuantizedKernelSet.available) func pooling(_ kernels: QuantizedKernelSet) {
        var generator = SeededGenerator(seed: 75)
        for _ in 0..<60 {
            let extents = [Int.random(in: 1...9, using: &generator), .random(in: 1...19, using: &generator)]
            let kernel = [Int.random(in: 1...3, using: &generator), .random(in: 1...3, using: &generator)]
            let strides = [Int.random(in: 1...2, using: &generator), .random(in: 1...2, using: &generator)]
            let dilations = [Int.random(in: 1...2, using: &generator), .random(in: 1...2, using: &generator)]
            let before = kernel.map { Int.random(in: 0..<$0, using: &generator) }
            let after = kernel.map { Int.random(in: 0..<$0, using: &generator) }
            var outputs: [Int] = []
            for axis in 0..<2 {
                let span = dilations[axis] * (kernel[axis] - 1)
                let room = extents[axis] + before[axis] + after[axis] - span - 1
                if room >= 0 { outputs.append(room / strides[axis] + 1) }
            }
            if outputs.count < 2 { continue }
            let countsPadding = Bool.random(using: &generator)
            let rowStep = (extents[1] + 2) * 16
            let input = generator.bytes(extents[0] * rowStep)
            let size = outputs[0] * outputs[1] * 16
            let (largest, mean) = (GuardedBytes(generator.bytes(size)), GuardedBytes(generator.bytes(size)))
            let settings: [Float] = [-40, 215, Float(bitPattern: 40), 1.1357, 100]
            let down = GuardedBytes(generator.bytes(extents[1] * 16))
            largest.with { output in
                down.with {
                    kernels.maxPoolQuantizedRows(
                        input: input, inputRowStep: rowStep, inputRows: extents[0], inputColumns: extents[1],
                        kernelRows: kernel[0], kernelColumns: kernel[1], rowStride: strides[0],
                        columnStride: strides[1], rowDilation: dilations[0], columnDilation: dilations[1],
                        top: before[0], left: before[1], columnMaxima: $0, output: output,
                        outputRowStep: outputs[1] * 16, rows: outputs[0], columns: outputs[1])
                }
            }
            mean.with {
                kernels.averagePoolQuantizedRows(
                    input: input, inputRowStep: rowStep, inputRows: extents[0], inputColumns: extents[1],
                    kernelRows: kernel[0], kernelColumns: kernel[1], rowStride: strides[0], columnStride: strides[1],
                    rowDilation: dilations[0], columnDilation: dilations[1], top: before[0], left: before[1],
                    bottom: after[0], right: after[1], countsPadding: countsPadding, output: $0,
                    outputRowStep: outputs[1] * 16, rows: outputs[0], columns: outputs[1], settings: settings)
            }
            let (maxima, means) = (largest.elements, mean.elements)
            var agree = largest.isIntact && mean.isIntact && down.isIntact
            for place in 0..<size {
                let (pixel, lane) = place.quotientAndRemainder(dividingBy: 16)
                let (y, x) = pixel.quotientAndRemainder(dividingBy: outputs[1])
                var (maximum, sum, counted) = (UInt8(0), 0.0, 0)
                for ky in 0..<kernel[0] {
                    for kx in 0..<kernel[1] {
                        let row = y * strides[0] - before[0] + ky * dilations[0]
                        let column = x * strides[1] - before[1] + kx * dilations[1]
                        if row < extents[0] + after[0], column < extents[1] + after[1], countsPadding { counted += 1 }
                        guard (0..<extents[0]).contains(row), (0..<extents[1]).contains(column) else { continue }
                        let byte = input[row * rowStep + column * 16 + lane]
                        maximum = max(maximum, byte)
                        sum += Double(byte) - 100
                        if !countsPadding { counted += 1 }
                    }
                }
                let average = counted == 0 ? 0 : sum * Double(settings[3]) / Double(counted)
                agree = agree && maxima[place] == maximum
                agree = agree && Rounding.agrees(means[place], min(max(average, -40), 215) + 40)
            }
            #expect(agree, "\(extents) \(kernel) \(strides) \(dilations) \(before) \(after) \(countsPadding)")
        }
    }
}
