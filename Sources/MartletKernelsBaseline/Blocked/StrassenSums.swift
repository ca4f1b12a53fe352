// The sums and differences of Strassen's product of 2x2 blocks in Winograd's form, 7 products and 15 sums (Winograd 1971):
// pixels A (top and bottom half, first and second half of the channels) times weights B.
//
//     S1 = A21 + A22    T1 = B12 - B11    P1 = A11 B11   P5 = S1 T1   C11 = P1 + P2
//     S2 = S1 - A11     T2 = B22 - T1     P2 = A12 B21   P6 = S2 T2   C12 = P1 + P6 + P5 + P3
//     S3 = A11 - A21    T3 = B22 - B12    P3 = S4 B22    P7 = S3 T3   C21 = P1 + P6 + P7 - P4
//     S4 = A12 - S2     T4 = T2 - B21     P4 = A22 T4                 C22 = P1 + P6 + P7 + P5
//
// An odd number of pixels leaves the top half one more than the bottom half, which counts as zero.
// Each function here takes all sums of its kind in one pass, so that nothing is read twice.

/// S1 ... S4 of a block of channels from each half.
///
/// - Parameters:
///   - input: The first pixel of the top half, in a block of the first half of the channels.
///   - inputRowStep: Floats between its rows.
///   - inputColumnStep: Floats between its pixels, which are vectors.
///   - channelStep: Floats from the first half of the channels to the second.
///   - bottomStep: Floats from the top half of the pixels to the bottom half.
///   - rows: Rows of each half.
///   - columns: Pixels of a row.
///   - bottomColumns: Pixels of a row of the bottom half: as many, or one less.
///   - sums: The pixels of S1, without gaps.
///   - sumStep: Floats from S1 to S2, and so on.
public func strassenInputs(
    input: UnsafePointer<Float>, inputRowStep: Int, inputColumnStep: Int, channelStep: Int, bottomStep: Int,
    rows: Int, columns: Int, bottomColumns: Int, sums: UnsafeMutablePointer<Float>, sumStep: Int
) {
    var target = sums
    for row in 0..<rows {
        var pixel = input + row * inputRowStep
        for _ in 0..<bottomColumns {
            let a11 = load(pixel)
            let a21 = load(pixel + bottomStep)
            let s1 = a21 + load(pixel + channelStep + bottomStep)
            let s2 = s1 - a11
            store(s1, to: target)
            store(s2, to: target + sumStep)
            store(a11 - a21, to: target + 2 * sumStep)
            store(load(pixel + channelStep) - s2, to: target + 3 * sumStep)
            pixel += inputColumnStep
            target += Vector.scalarCount
        }
        if bottomColumns < columns {
            let a11 = load(pixel)
            store(Vector(repeating: 0), to: target)
            store(-a11, to: target + sumStep)
            store(a11, to: target + 2 * sumStep)
            store(load(pixel + channelStep) + a11, to: target + 3 * sumStep)
            target += Vector.scalarCount
        }
    }
}

/// The results of a block of output channels from each half, with the layer's end: `clamp(C + bias + residual)`.
///
/// - Parameters:
///   - products: P1 of the block, pixels without gaps.
///   - productStep: Floats from P1 to P2, and so on.
///   - bias: A vector, of the first half of the channels.
///   - biasStep: Floats to that of the second half.
///   - residual: Laid out as the output, with steps of its own; `nil` for none. It may be the output.
///   - output: The first pixel of the top half, in the block of the first half of the channels.
///   - channelStep: Floats from the first half of the channels to the second.
///   - bottomStep: Floats from the top half of the pixels to the bottom half.
///   - residualBottomStep: The same of the residual.
///   - count: Pixels of each half that follow one another without a gap.
///   - isTopAlone: Whether the bottom half has none of them.
///   - minimum: Lower bound of the result, -infinity for none.
///   - maximum: Upper bound of the result, infinity for none.
public func strassenOutputs(
    products: UnsafePointer<Float>, productStep: Int, bias: UnsafePointer<Float>, biasStep: Int,
    residual: UnsafePointer<Float>?, residualChannelStep: Int, residualBottomStep: Int,
    output: UnsafeMutablePointer<Float>, channelStep: Int, bottomStep: Int, count: Int, isTopAlone: Bool,
    minimum: Float, maximum: Float
) {
    let (bias1, bias2) = (load(bias), load(bias + biasStep))
    var (source, pixel, addend) = (products, output, residual)
    for _ in 0..<count {
        let p1 = load(source)
        let p5 = load(source + 4 * productStep)
        let u2 = p1 + load(source + 5 * productStep)
        var c11 = p1 + load(source + productStep) + bias1
        var c12 = u2 + p5 + load(source + 2 * productStep) + bias2
        if let residual = addend {
            c11 += load(residual)
            c12 += load(residual + residualChannelStep)
        }
        if !isTopAlone {
            let u3 = u2 + load(source + 6 * productStep)
            var c21 = u3 - load(source + 3 * productStep) + bias1
            var c22 = u3 + p5 + bias2
            if let residual = addend {
                c21 += load(residual + residualBottomStep)
                c22 += load(residual + residualChannelStep + residualBottomStep)
            }
            store(clamp(c21, minimum, maximum), to: pixel + bottomStep)
            store(clamp(c22, minimum, maximum), to: pixel + channelStep + bottomStep)
        }
        store(clamp(c11, minimum, maximum), to: pixel)
        store(clamp(c12, minimum, maximum), to: pixel + channelStep)
        source += Vector.scalarCount
        pixel += Vector.scalarCount
        addend = addend.map { $0 + Vector.scalarCount }
    }
}
