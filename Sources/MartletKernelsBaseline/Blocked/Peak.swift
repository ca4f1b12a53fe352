/// As many multiply-adds as the processor can do: `rounds` times twelve vectors of `vectorLanes()` floats, in registers, none of
/// which waits for another of its round. The result is only there to be computed.
///
/// Two operations a lane where multiply and add are one instruction; elsewhere they are two, and as many operations.
public func multiplyAddRounds(_ rounds: Int) -> Float {
    let (a, b) = (Vector(repeating: 0.5), Vector(repeating: 0.25))
    var (s0, s1, s2, s3) = (a, b, a + b, a - b)
    var (s4, s5, s6, s7) = (s0 + b, s1 + b, s2 + b, s3 + b)
    var (s8, s9, s10, s11) = (s4 + b, s5 + b, s6 + b, s7 + b)
    var round = 0
    while round < rounds {
        s0 = multiplyAdd(b, s0, a)
        s1 = multiplyAdd(b, s1, a)
        s2 = multiplyAdd(b, s2, a)
        s3 = multiplyAdd(b, s3, a)
        s4 = multiplyAdd(b, s4, a)
        s5 = multiplyAdd(b, s5, a)
        s6 = multiplyAdd(b, s6, a)
        s7 = multiplyAdd(b, s7, a)
        s8 = multiplyAdd(b, s8, a)
        s9 = multiplyAdd(b, s9, a)
        s10 = multiplyAdd(b, s10, a)
        s11 = multiplyAdd(b, s11, a)
        round += 1
    }
    let sum = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + ((s8 + s9) + (s10 + s11))
    return sum[0] + sum[1]
}

/// Reads `count` floats, a multiple of four vectors, and adds them up: as fast as memory gives them.
public func readFloats(_ floats: UnsafePointer<Float>, count: Int) -> Float {
    var (a, b, c, d) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    let lanes = Vector.scalarCount
    var i = 0
    while i < count {
        a += load(floats + i)
        b += load(floats + i + lanes)
        c += load(floats + i + 2 * lanes)
        d += load(floats + i + 3 * lanes)
        i += 4 * lanes
    }
    let sum = (a + b) + (c + d)
    return sum[0] + sum[1]
}
