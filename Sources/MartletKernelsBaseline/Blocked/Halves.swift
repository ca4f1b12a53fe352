/// Numbers in half precision in single precision, exactly.
///
/// - Parameters:
///   - halves: `count` numbers.
///   - floats: Where they go.
public func widenHalves(_ halves: UnsafePointer<Float16>, count: Int, into floats: UnsafeMutablePointer<Float>) {
    var i = 0
    while i + Vector.scalarCount <= count {
        store(widened(halves + i), to: floats + i)
        i += Vector.scalarCount
    }
    while i < count {
        floats[i] = Float(halves[i])
        i += 1
    }
}

/// Numbers rounded to the nearest in half precision, ties to even; what is too large becomes infinite.
///
/// - Parameters:
///   - floats: `count` numbers.
///   - halves: Where they go.
public func narrowToHalves(_ floats: UnsafePointer<Float>, count: Int, into halves: UnsafeMutablePointer<Float16>) {
    var i = 0
    while i + Vector.scalarCount <= count {
        narrow(floats + i, into: halves + i)
        i += Vector.scalarCount
    }
    while i < count {
        halves[i] = Float16(floats[i])
        i += 1
    }
}

/// A vector of halves in single precision. Written out, it becomes one instruction where the processor has it.
@inline(__always) func widened(_ p: UnsafePointer<Float16>) -> Vector {
    #if MARTLET_AVX512
        Vector(
            Float(p[0]), Float(p[1]), Float(p[2]), Float(p[3]), Float(p[4]), Float(p[5]), Float(p[6]), Float(p[7]),
            Float(p[8]), Float(p[9]), Float(p[10]), Float(p[11]), Float(p[12]), Float(p[13]), Float(p[14]), Float(p[15])
        )
    #elseif MARTLET_AVX2
        Vector(
            Float(p[0]), Float(p[1]), Float(p[2]), Float(p[3]), Float(p[4]), Float(p[5]), Float(p[6]), Float(p[7]))
    #else
        Vector(Float(p[0]), Float(p[1]), Float(p[2]), Float(p[3]))
    #endif
}

/// A vector in half precision. Written out, it becomes one instruction where the processor has it.
@inline(__always) private func narrow(_ p: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float16>) {
    #if MARTLET_AVX512
        let halves = SIMD16<Float16>(
            Float16(p[0]), Float16(p[1]), Float16(p[2]), Float16(p[3]), Float16(p[4]), Float16(p[5]), Float16(p[6]),
            Float16(p[7]), Float16(p[8]), Float16(p[9]), Float16(p[10]), Float16(p[11]), Float16(p[12]),
            Float16(p[13]), Float16(p[14]), Float16(p[15]))
        UnsafeMutableRawPointer(target).storeBytes(of: halves, as: SIMD16<Float16>.self)
    #elseif MARTLET_AVX2
        let halves = SIMD8<Float16>(
            Float16(p[0]), Float16(p[1]), Float16(p[2]), Float16(p[3]), Float16(p[4]), Float16(p[5]), Float16(p[6]),
            Float16(p[7]))
        UnsafeMutableRawPointer(target).storeBytes(of: halves, as: SIMD8<Float16>.self)
    #else
        let halves = SIMD4<Float16>(Float16(p[0]), Float16(p[1]), Float16(p[2]), Float16(p[3]))
        UnsafeMutableRawPointer(target).storeBytes(of: halves, as: SIMD4<Float16>.self)
    #endif
}
