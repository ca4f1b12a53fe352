import MartletLinearAlgebra

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Random numbers that are the same for the same seed on every run: SplitMix64 (Steele, Lea and Flood 2014).
struct RandomNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A standard normal number (Box and Muller 1958).
    mutating func normal() -> Double {
        // In 0 < x <= 1, so that the logarithm is finite.
        let x = Double((next() >> 11) + 1) * 0x1p-53
        let y = Double(next() >> 11) * 0x1p-53
        return (-2 * log(x)).squareRoot() * cos(2 * .pi * y)
    }

    /// Standard normal numbers, row after row.
    mutating func normalMatrix(rows: Int, columns: Int) -> Matrix {
        var result = Matrix(rows: rows, columns: columns)
        result.withMutableElements { elements in
            for index in 0..<elements.count { elements[index] = normal() }
        }
        return result
    }
}
