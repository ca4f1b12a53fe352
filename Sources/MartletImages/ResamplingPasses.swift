// The two passes of a resize. Sums are exact in 32 bits: |weights| sum to less than 2 in 22 fractional bits, pixels
// have 8, and wrapping arithmetic says so to the compiler.

extension Image {
    /// One output column for each position of `coefficients`.
    func resampledHorizontally(_ coefficients: ResamplingCoefficients) -> Image {
        let outputWidth = coefficients.starts.count
        let count = outputWidth * height * channels
        let rowLength = width * channels
        let channels = channels
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            initialized = count
            pixels.withUnsafeBufferPointer { source in
                coefficients.withPointers { weights, starts, counts in
                    guard let source = source.baseAddress, var out = target.baseAddress else { return }
                    for row in 0..<height {
                        let line = source + row &* rowLength
                        if channels == 3 {
                            horizontalRGB(line, out, outputWidth, weights, starts, counts, coefficients.length)
                        } else {
                            horizontalGrey(line, out, outputWidth, weights, starts, counts, coefficients.length)
                        }
                        out += outputWidth &* channels
                    }
                }
            }
        }
        return Image(unchecked: result, width: outputWidth, height: height, channels: channels)
    }

    /// One output row for each position of `coefficients`.
    func resampledVertically(_ coefficients: ResamplingCoefficients) -> Image {
        let outputHeight = coefficients.starts.count
        let rowLength = width * channels
        let count = outputHeight * rowLength
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            initialized = count
            pixels.withUnsafeBufferPointer { source in
                coefficients.withPointers { weights, starts, counts in
                    guard let source = source.baseAddress, let out = target.baseAddress else { return }
                    withUnsafeTemporaryAllocation(of: Int32.self, capacity: blockLength) { sums in
                        guard let sums = sums.baseAddress else { return }
                        for row in 0..<outputHeight {
                            for block in stride(from: 0, to: rowLength, by: blockLength) {
                                vertical(
                                    source + starts[row] &* rowLength + block, rowLength,
                                    out + row &* rowLength + block, min(blockLength, rowLength - block),
                                    weights + row &* coefficients.length, counts[row], sums)
                            }
                        }
                    }
                }
            }
        }
        return Image(unchecked: result, width: width, height: outputHeight, channels: channels)
    }
}

extension ResamplingCoefficients {
    fileprivate func withPointers(
        _ body: (UnsafePointer<Int32>, UnsafePointer<Int>, UnsafePointer<Int>) -> Void
    ) {
        weights.withUnsafeBufferPointer { weights in
            starts.withUnsafeBufferPointer { starts in
                counts.withUnsafeBufferPointer { counts in
                    guard let weights = weights.baseAddress, let starts = starts.baseAddress,
                        let counts = counts.baseAddress
                    else { return }
                    body(weights, starts, counts)
                }
            }
        }
    }
}

private let half: Int32 = 1 << (ResamplingCoefficients.precision - 1)

@inline(__always)
private func rounded(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum &>> ResamplingCoefficients.precision, 0), 255))
}

private func horizontalRGB(
    _ line: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>, _ width: Int, _ weights: UnsafePointer<Int32>,
    _ starts: UnsafePointer<Int>, _ counts: UnsafePointer<Int>, _ length: Int
) {
    for column in 0..<width {
        var pixel = line + starts[column] &* 3
        let weights = weights + column &* length
        var (red, green, blue) = (half, half, half)
        for i in 0..<counts[column] {
            let weight = weights[i]
            red = red &+ Int32(pixel[0]) &* weight
            green = green &+ Int32(pixel[1]) &* weight
            blue = blue &+ Int32(pixel[2]) &* weight
            pixel += 3
        }
        out[column &* 3] = rounded(red)
        out[column &* 3 &+ 1] = rounded(green)
        out[column &* 3 &+ 2] = rounded(blue)
    }
}

private func horizontalGrey(
    _ line: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>, _ width: Int, _ weights: UnsafePointer<Int32>,
    _ starts: UnsafePointer<Int>, _ counts: UnsafePointer<Int>, _ length: Int
) {
    for column in 0..<width {
        let pixel = line + starts[column]
        let weights = weights + column &* length
        var sum = half
        for i in 0..<counts[column] { sum = sum &+ Int32(pixel[i]) &* weights[i] }
        out[column] = rounded(sum)
    }
}

/// Bytes of a line that are summed at a time: the sums stay in the first-level cache.
private let blockLength = 4096

// Tap by tap over a stretch of the line, so that the compiler has neighbours to vectorise over.
private func vertical(
    _ source: UnsafePointer<UInt8>, _ rowLength: Int, _ out: UnsafeMutablePointer<UInt8>, _ length: Int,
    _ weights: UnsafePointer<Int32>, _ count: Int, _ sums: UnsafeMutablePointer<Int32>
) {
    for i in 0..<length { sums[i] = half }
    for tap in 0..<count {
        let weight = weights[tap]
        let line = source + tap &* rowLength
        for i in 0..<length { sums[i] = sums[i] &+ Int32(line[i]) &* weight }
    }
    for i in 0..<length { out[i] = rounded(sums[i]) }
}
