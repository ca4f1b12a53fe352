/// Output channels of a vector: as many 32-bit sums as a register of this instruction set holds.
public func quantizedLanes() -> Int { Integers.scalarCount }

/// Bytes of a weight as `convolveQuantizedRows` reads it: 1 where there are sums of products of bytes, 2 where they are made
/// from those of 16 bits.
public func quantizedWeightBytes() -> Int {
    #if MARTLET_VNNI
        1
    #else
        2
    #endif
}
