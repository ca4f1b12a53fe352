/// Random numbers from a seed, the same everywhere (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    /// What the next number comes from, to be kept in a checkpoint.
    package private(set) var state: UInt64

    /// A generator for a seed, or going on from a ``state``.
    package init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number from 0 to less than 1.
    package mutating func uniform() -> Float { Float(next() >> 40) / Float(1 << 24) }

    /// A number below `bound`, which is positive.
    package mutating func integer(below bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    /// `0 ..< count` in random order.
    package mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for index in order.indices.dropFirst().reversed() { order.swapAt(index, integer(below: index + 1)) }
        return order
    }
}
