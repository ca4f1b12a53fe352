/// How often numbers of which size occurred, with the least and the largest of them.
///
/// The bins' width is a power of two, which doubles when a number falls outside; pairs of bins are then added. What comes out
/// depends on the numbers alone: not on their order, nor on how they were shared out before ``merge(_:)``.
public struct Histogram: Sendable {
    /// Bins below zero, and as many above.
    static let half = 8192

    /// Counts from `-half width` on.
    private(set) var counts = [Int](repeating: 0, count: 2 * Histogram.half)
    /// The exponent of the width of a bin.
    private var exponent = Histogram.smallestExponent
    /// The least number, 0 before there is one.
    public private(set) var minimum: Float = 0
    /// The largest number.
    public private(set) var maximum: Float = 0
    /// The numbers counted. What is not finite is not.
    public private(set) var count = 0

    private static let smallestExponent = -60

    /// The histogram of nothing.
    public init() {}

    /// The width of a bin.
    var width: Double { Histogram.power(exponent) }

    /// The middle of a bin.
    func center(_ bin: Int) -> Double { (Double(bin - Histogram.half) + 0.5) * width }

    /// Counts numbers.
    public mutating func add(_ values: UnsafeBufferPointer<Float>) {
        var (low, high) = (Float.infinity, -Float.infinity)
        for value in values where value.isFinite {
            low = min(low, value)
            high = max(high, value)
        }
        if low > high { return }
        minimum = count == 0 ? low : min(minimum, low)
        maximum = count == 0 ? high : max(maximum, high)
        // The last bin does not hold its upper end.
        while max(-low, high.nextUp) > Float(Histogram.half) * Float(width) { widen() }
        let inverse = Float(Histogram.power(-exponent))
        var counted = 0
        counts.withUnsafeMutableBufferPointer { counts in
            for value in values where value.isFinite {
                // Scaling by a power of two is exact, so the bin does not depend on when the number came.
                let scaled = value * inverse
                var bin = Int(scaled)
                if Float(bin) > scaled { bin -= 1 }
                counts[bin + Histogram.half] += 1
                counted += 1
            }
        }
        count += counted
    }

    /// Adds what another histogram counted.
    public mutating func merge(_ other: Histogram) {
        if other.count == 0 { return }
        var other = other
        while exponent < other.exponent { widen() }
        while other.exponent < exponent { other.widen() }
        minimum = count == 0 ? other.minimum : min(minimum, other.minimum)
        maximum = count == 0 ? other.maximum : max(maximum, other.maximum)
        count += other.count
        for bin in counts.indices { counts[bin] += other.counts[bin] }
    }

    private mutating func widen() {
        var wider = [Int](repeating: 0, count: counts.count)
        for bin in counts.indices where counts[bin] > 0 {
            // Floor division: -1 and -2 become -1.
            wider[((bin - Histogram.half) >> 1) + Histogram.half] += counts[bin]
        }
        counts = wider
        exponent += 1
    }

    private static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
