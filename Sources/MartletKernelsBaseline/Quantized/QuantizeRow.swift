import CMartletIntrinsics

/// Quantises a row: `output = zero point + clamp(round(input / scale))`, halves to the even integer. c stands for
/// `quantizedLanes()`.
///
/// - Parameters:
///   - input: `count` floats.
///   - output: Each c of them lie `outputStep` bytes after the c before; what is left over likewise.
///   - minimum: The lower bound, from the zero point.
///   - maximum: The upper bound, from the zero point.
public func quantizeRow(
    input: UnsafePointer<Float>, count: Int, output: UnsafeMutablePointer<UInt8>, outputStep: Int,
    scale: Float, minimum: Float, maximum: Float, zeroPoint: Int
) {
    let lanes = Integers.scalarCount
    let divisor = Reals(repeating: scale)
    let offset = Reals(repeating: MARTLET_ROUNDING_OFFSET)
    let zero = Integers(repeating: Int32(truncatingIfNeeded: zeroPoint))
    var target = output
    var i = 0
    while i + lanes <= count {
        let bounded = martlet_clamp(martlet_load_reals(input + i) / divisor, minimum, maximum)
        martlet_store_bytes(unsafeBitCast(bounded + offset, to: Integers.self) &+ zero, target)
        target += outputStep
        i += lanes
    }
    while i < count {
        let quotient = input[i] / scale
        let raised = quotient < minimum ? minimum : quotient
        let bounded = raised > maximum ? maximum : raised
        let bits = Int((bounded + MARTLET_ROUNDING_OFFSET).bitPattern) &+ zeroPoint
        target.pointee = UInt8(truncatingIfNeeded: bits)
        target += 1
        i += 1
    }
}

/// Quantises a row of a picture of three channels, each in a plane of its own, as `quantizeRow` does; a pixel of the result is
/// three bytes.
///
/// - Parameters:
///   - input: `count` floats of the first channel.
///   - channelStep: Floats from one channel to the next.
///   - output: `[count][3]`.
public func quantizePictureRow(
    input: UnsafePointer<Float>, channelStep: Int, count: Int, output: UnsafeMutablePointer<UInt8>, scale: Float,
    minimum: Float, maximum: Float, zeroPoint: Int
) {
    let lanes = Integers.scalarCount
    let divisor = Reals(repeating: scale)
    let offset = Reals(repeating: MARTLET_ROUNDING_OFFSET)
    let zero = Integers(repeating: Int32(truncatingIfNeeded: zeroPoint))
    var i = 0
    while i + lanes <= count {
        var pixels = Integers(repeating: 0)
        var channel = 0
        while channel < 3 {
            let values = martlet_load_reals(input + channel * channelStep + i) / divisor
            let bits = unsafeBitCast(martlet_clamp(values, minimum, maximum) + offset, to: Integers.self) &+ zero
            // The offset has put something above the lowest byte.
            pixels |= (bits & Integers(repeating: 0xff)) &<< Integers(repeating: Int32(truncatingIfNeeded: 8 * channel))
            channel += 1
        }
        martlet_store_lowest_three(pixels, output + 3 * i)
        i += lanes
    }
    if i == count { return }
    var channel = 0
    while channel < 3 {
        var pixel = i
        while pixel < count {
            quantizeRow(
                input: input + channel * channelStep + pixel, count: 1, output: output + 3 * pixel + channel,
                outputStep: 0, scale: scale, minimum: minimum, maximum: maximum, zeroPoint: zeroPoint)
            pixel += 1
        }
        channel += 1
    }
}

/// The reverse of `quantizeRow`: `output = (input - zero point) scale`, of `count` bytes, a multiple of `quantizedLanes()`.
public func dequantizeRow(
    input: UnsafePointer<UInt8>, inputStep: Int, count: Int, output: UnsafeMutablePointer<Float>, scale: Float,
    zeroPoint: Int
) {
    let lanes = Integers.scalarCount
    let factor = Reals(repeating: scale)
    let zero = Integers(repeating: Int32(truncatingIfNeeded: zeroPoint))
    var source = input
    var i = 0
    while i + lanes <= count {
        let value = martlet_to_reals(martlet_load_bytes(source) &- zero) * factor
        UnsafeMutableRawPointer(output + i).storeBytes(of: value, as: Reals.self)
        source += inputStep
        i += lanes
    }
}
