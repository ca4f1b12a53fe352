import MartletLinearAlgebra
import MartletTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Normal random numbers that are the same for the same seed on every run.
struct RandomNumbers: RandomNumberGenerator {
    private var bits: SplitMix64

    init(seed: UInt64) { bits = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { bits.next() }

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
