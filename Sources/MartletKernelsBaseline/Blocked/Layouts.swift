/// Copies planes (NCHW) to the blocked layout.
///
/// - Parameters:
///   - input: `channels` planes of `rows` rows of `columns` floats.
///   - inputChannelStep: Floats between planes.
///   - inputRowStep: Floats between rows of a plane.
///   - output: Pixel (0, 0) of the first block, inside the border. The lanes past `channels` become zero.
///   - outputBlockStep: Floats between blocks.
///   - outputRowStep: Floats between rows of a block.
///   - pixelStep: Channels of a block: `vectorLanes()`, or 4 of an image.
public func planarToBlocked(
    input: UnsafePointer<Float>, inputChannelStep: Int, inputRowStep: Int,
    output: UnsafeMutablePointer<Float>, outputBlockStep: Int, outputRowStep: Int, pixelStep: Int,
    channels: Int, rows: Int, columns: Int
) {
    var row = 0
    while row < rows {
        // The row of a block stays in the cache while its channels are filled in, four at a time.
        var blockStart = 0
        var block = output + row * outputRowStep
        while blockStart < channels {
            var lane = 0
            while lane < pixelStep {
                let channel = blockStart + lane
                let source = input + row * inputRowStep
                interleave(
                    source + min(channel, channels - 1) * inputChannelStep,
                    source + min(channel + 1, channels - 1) * inputChannelStep,
                    source + min(channel + 2, channels - 1) * inputChannelStep,
                    source + min(channel + 3, channels - 1) * inputChannelStep,
                    count: channels - channel, into: block + lane, pixelStep: pixelStep, columns: columns)
                lane += 4
            }
            blockStart += pixelStep
            block += outputBlockStep
        }
        row += 1
    }
}

/// Copies the blocked layout to planes (NCHW).
///
/// - Parameters:
///   - input: Pixel (0, 0) of the first block, inside the border.
///   - inputBlockStep: Floats between blocks.
///   - inputRowStep: Floats between rows of a block.
///   - pixelStep: Channels of a block: `vectorLanes()`, or 4 of an image.
///   - output: `channels` planes of `rows` rows of `columns` floats.
///   - outputChannelStep: Floats between planes.
///   - outputRowStep: Floats between rows of a plane.
public func blockedToPlanar(
    input: UnsafePointer<Float>, inputBlockStep: Int, inputRowStep: Int, pixelStep: Int,
    output: UnsafeMutablePointer<Float>, outputChannelStep: Int, outputRowStep: Int,
    channels: Int, rows: Int, columns: Int
) {
    var row = 0
    while row < rows {
        var blockStart = 0
        var block = input + row * inputRowStep
        while blockStart < channels {
            var lane = 0
            while lane < pixelStep && blockStart + lane < channels {
                let channel = blockStart + lane
                separate(
                    block + lane, pixelStep: pixelStep,
                    into: output + channel * outputChannelStep + row * outputRowStep,
                    channelStep: outputChannelStep, count: min(4, channels - channel), columns: columns)
                lane += 4
            }
            blockStart += pixelStep
            block += inputBlockStep
        }
        row += 1
    }
}

/// Writes the floats of up to four rows side by side, four pixels at a time; zero for rows from `count` on.
@inline(__always) private func interleave(
    _ row0: UnsafePointer<Float>, _ row1: UnsafePointer<Float>, _ row2: UnsafePointer<Float>,
    _ row3: UnsafePointer<Float>, count: Int,
    into target: UnsafeMutablePointer<Float>, pixelStep: Int, columns: Int
) {
    let zero = SIMD4<Float>.zero
    var target = target
    var x = 0
    while x + 4 <= columns {
        let a = count > 0 ? loadFour(row0 + x) : zero
        let b = count > 1 ? loadFour(row1 + x) : zero
        let c = count > 2 ? loadFour(row2 + x) : zero
        let d = count > 3 ? loadFour(row3 + x) : zero
        storeFour(SIMD4(a[0], b[0], c[0], d[0]), to: target)
        storeFour(SIMD4(a[1], b[1], c[1], d[1]), to: target + pixelStep)
        storeFour(SIMD4(a[2], b[2], c[2], d[2]), to: target + 2 * pixelStep)
        storeFour(SIMD4(a[3], b[3], c[3], d[3]), to: target + 3 * pixelStep)
        target += 4 * pixelStep
        x += 4
    }
    while x < columns {
        target[0] = count > 0 ? row0[x] : 0
        target[1] = count > 1 ? row1[x] : 0
        target[2] = count > 2 ? row2[x] : 0
        target[3] = count > 3 ? row3[x] : 0
        target += pixelStep
        x += 1
    }
}

/// Writes `count` of the four floats at each pixel to rows `channelStep` apart, four pixels at a time.
@inline(__always) private func separate(
    _ source: UnsafePointer<Float>, pixelStep: Int,
    into target: UnsafeMutablePointer<Float>, channelStep: Int, count: Int, columns: Int
) {
    var source = source
    var x = 0
    while x + 4 <= columns {
        let a = loadFour(source)
        let b = loadFour(source + pixelStep)
        let c = loadFour(source + 2 * pixelStep)
        let d = loadFour(source + 3 * pixelStep)
        let target = target + x
        storeFour(SIMD4(a[0], b[0], c[0], d[0]), to: target)
        if count > 1 { storeFour(SIMD4(a[1], b[1], c[1], d[1]), to: target + channelStep) }
        if count > 2 { storeFour(SIMD4(a[2], b[2], c[2], d[2]), to: target + 2 * channelStep) }
        if count > 3 { storeFour(SIMD4(a[3], b[3], c[3], d[3]), to: target + 3 * channelStep) }
        source += 4 * pixelStep
        x += 4
    }
    while x < columns {
        var lane = 0
        while lane < count {
            target[lane * channelStep + x] = source[lane]
            lane += 1
        }
        source += pixelStep
        x += 1
    }
}

@inline(__always) private func loadFour(_ pointer: UnsafePointer<Float>) -> SIMD4<Float> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD4<Float>.self)
}

@inline(__always) private func storeFour(_ vector: SIMD4<Float>, to pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: SIMD4<Float>.self)
}
