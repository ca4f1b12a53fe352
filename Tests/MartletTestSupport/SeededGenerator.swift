/// Numbers that are the same on every run: SplitMix64.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// The sequence of a seed.
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// `count` numbers in -1 ... 1.
    public mutating func floats(_ count: Int) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(count)
        for _ in 0..<count { result.append(Float.random(in: -1...1, using: &self)) }
        return result
    }

    /// A number in a range.
    public mutating func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}
