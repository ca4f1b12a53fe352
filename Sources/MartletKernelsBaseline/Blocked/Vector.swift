// The sources of this folder are built once for each instruction set (the other kernel rooms link to it). They hold
// plain functions over pointers and trivial scalars only: anything else would leave symbols of one instruction set
// where another part of the program may call them.

#if MARTLET_AVX512
    /// As many floats as a register holds.
    typealias Vector = SIMD16<Float>
#elseif MARTLET_AVX2
    /// As many floats as a register holds.
    typealias Vector = SIMD8<Float>
#else
    /// As many floats as a register holds.
    typealias Vector = SIMD4<Float>
#endif

/// `sum + a * b`; one rounding where the instruction set has it.
@inline(__always) func multiplyAdd(_ sum: Vector, _ a: Vector, _ b: Vector) -> Vector {
    #if MARTLET_AVX512 || MARTLET_AVX2
        sum.addingProduct(a, b)
    #else
        // Without the instruction, addingProduct would be a library call for each lane.
        sum + a * b
    #endif
}

/// The vector at `pointer`, which need not be aligned to it.
@inline(__always) func load(_ pointer: UnsafePointer<Float>) -> Vector {
    UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

/// Writes a vector to `pointer`, which need not be aligned to it.
@inline(__always) func store(_ vector: Vector, to pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}
