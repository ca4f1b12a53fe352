// Functions of a vector, from their series: calls of the C library would take the lanes one by one.
//
// The compiler makes a vector instruction of `multiplyAdd` only from short chains of them; a long chain ends up lane by
// lane. So each chain here is cut by sums and products of whole vectors.

/// e^x within 2 units in the last place; below -87 and above 88 that of the bound. NaN stays NaN.
@_transparent func exponential(_ x: Vector) -> Vector {
    let x = clamp(x, -87, 88)
    // x = n ln 2 + r; adding 1.5 * 2^23 leaves n, rounded to nearest, in the low bits.
    let shifted = multiplyAdd(Vector(repeating: 12_582_912), x, Vector(repeating: 1.442695041))
    let n = shifted - Vector(repeating: 12_582_912)
    // ln 2 in two parts: the product with the first is exact.
    let r = (x - n * Vector(repeating: 0.693359375)) + n * Vector(repeating: 2.1219444e-4)
    let square = r * r
    let low = multiplyAdd(Vector(repeating: 0.5), r, Vector(repeating: 1 / 6))
    let middle = multiplyAdd(Vector(repeating: 1 / 24), r, Vector(repeating: 1 / 120))
    let high = multiplyAdd(Vector(repeating: 1 / 720), r, Vector(repeating: 1 / 5040))
    let sum = ((high * square + middle) * square + low) * square + r + Vector(repeating: 1)
    // 2^n by its bits; a product, so that NaN stays.
    let exponent = unsafeBitCast(shifted, to: Bits.self) &+ Bits(repeating: 127 &- 0x4B40_0000)
    return sum * unsafeBitCast(exponent &<< Bits(repeating: 23), to: Vector.self)
}

/// ln x of positive normal numbers, within 1e-7 of the larger of 1 and itself.
@_transparent func logarithm(_ x: Vector) -> Vector {
    // x = 2^n m with m from sqrt(1/2) to sqrt(2).
    let bits = unsafeBitCast(x, to: Bits.self)
    let exponent = (bits &- Bits(repeating: 0x3F35_04F3)) &>> Bits(repeating: 23)
    let m = unsafeBitCast(bits &- (exponent &<< Bits(repeating: 23)), to: Vector.self)
    let n =
        unsafeBitCast(exponent &+ Bits(repeating: 0x4B40_0000), to: Vector.self) - Vector(repeating: 12_582_912)
    // ln m = 2 artanh(t), t = (m - 1) / (m + 1), at most 0.172.
    let t = (m - Vector(repeating: 1)) / (m + Vector(repeating: 1))
    let square = t * t
    let low = multiplyAdd(Vector(repeating: 2), square, Vector(repeating: 2.0 / 3))
    let middle = multiplyAdd(Vector(repeating: 2.0 / 5), square, Vector(repeating: 2.0 / 7))
    let fourth = square * square
    let sum = (Vector(repeating: 2.0 / 9) * fourth + middle) * fourth + low
    return t * sum + n * Vector(repeating: 0.693147181)
}

/// x^(-3/4) of positive normal numbers, within 4e-7 of itself.
///
/// Vectors have no square root in Swift that is not taken lane by lane. This is the cube of r = x^(-1/4), which two steps
/// of r <- r (1 - e)^(-1/4), e = 1 - x r^4, make of a guess from the bits of x that is 3 % off.
@_transparent func inverseThreeQuarterPower(_ x: Vector) -> Vector {
    let one = Vector(repeating: 1)
    let guess = Bits(repeating: 0x4F58_4000) &- (unsafeBitCast(x, to: Bits.self) &>> Bits(repeating: 2))
    var root = unsafeBitCast(guess, to: Vector.self)
    var square = root * root
    let far = one - (x * square) * square
    let series = multiplyAdd(Vector(repeating: 5.0 / 32), far, Vector(repeating: 15.0 / 128))
    root += (root * far) * (series * far + Vector(repeating: 0.25))
    square = root * root
    let near = one - (x * square) * square
    root += (root * near) * Vector(repeating: 0.25)
    return root * root * root
}

#if MARTLET_AVX512
    typealias Bits = SIMD16<Int32>
#elseif MARTLET_AVX2
    typealias Bits = SIMD8<Int32>
#else
    typealias Bits = SIMD4<Int32>
#endif
