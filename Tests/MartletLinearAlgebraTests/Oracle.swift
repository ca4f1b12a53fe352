/// Numbers that are the same on every run: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func values(_ count: Int) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(count)
        for _ in 0..<count { result.append(Double.random(in: -1...1, using: &self)) }
        return result
    }
}

/// `alpha op(A) op(B) + beta C` by three loops, with rows `lda`, `ldb`, `ldc` apart.
func productByLoops(
    transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Double, a: [Double], lda: Int, b: [Double],
    ldb: Int, beta: Double, c: [Double], ldc: Int
) -> [Double] {
    var result = c
    for i in 0..<m {
        for j in 0..<n {
            var sum = 0.0
            for p in 0..<k {
                let left = transposeA ? a[p * lda + i] : a[i * lda + p]
                let right = transposeB ? b[j * ldb + p] : b[p * ldb + j]
                sum += left * right
            }
            result[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j])
        }
    }
    return result
}

func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
    if a.count != b.count { return .infinity }
    var result = 0.0
    for (x, y) in zip(a, b) {
        let difference = abs(x - y)
        // A NaN on one side only must count.
        if difference.isNaN { if !(x.isNaN && y.isNaN) { return .infinity } } else { result = max(result, difference) }
    }
    return result
}
