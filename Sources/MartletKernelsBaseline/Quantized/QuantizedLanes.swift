/// Output channels of a vector: as many 32-bit sums as a register of this instruction set holds.
public func quantizedLanes() -> Int { Integers.scalarCount }

/// Bytes of a weight as `convolveQuantizedRows` reads it: 1 where there are sums of products of bytes, 2 where they are made
/// from those of 16 bits.
public func quantizedWeightBytes() -> Int {
    #if MARTLET_VNNI || MARTLET_AVX512 || MARTLET_AVX2
        1
    #else
        2
    #endif
}

/// The most that two neighbouring weights may add up to, positive or negative: where two products of bytes are added in 16 bits
/// (255 x 128 fits, with either sign), what is beyond it has to be read as a weight of its own, the `excess`.
public func quantizedPairLimit() -> Int {
    #if !MARTLET_VNNI && (MARTLET_AVX512 || MARTLET_AVX2)
        128
    #else
        .max
    #endif
}
