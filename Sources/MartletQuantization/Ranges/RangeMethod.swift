import Foundation

/// A way to choose the interval of an activation from its histogram.
public enum RangeMethod: String, CaseIterable, Codable, Sendable {
    /// From the least to the largest number seen.
    case minMax = "min-max"
    /// All but one in a thousand, ten thousand or a hundred thousand at either end.
    case percentile999 = "percentile-99.9"
    case percentile9999 = "percentile-99.99"
    case percentile99999 = "percentile-99.999"
    /// The least mean square of the error.
    case meanSquare = "mse"
    /// The least Kullback-Leibler divergence of the quantized numbers' distribution from that of the numbers (Migacz 2017).
    case divergence = "kl"

    /// The parameters for the numbers of a histogram.
    public func parameters(for histogram: Histogram) -> AffineParameters {
        let (low, high) = (min(0, histogram.minimum), max(0, histogram.maximum))
        switch self {
        case .minMax: return AffineParameters(minimum: low, maximum: high)
        case .percentile999: return RangeMethod.percentile(1e-3, histogram)
        case .percentile9999: return RangeMethod.percentile(1e-4, histogram)
        case .percentile99999: return RangeMethod.percentile(1e-5, histogram)
        case .meanSquare: return RangeMethod.best(low, high) { $0.squaredError(of: histogram) }
        case .divergence: return RangeMethod.best(low, high) { $0.divergence(of: histogram) }
        }
    }

    /// The interval that leaves a part of the numbers out at either end.
    private static func percentile(_ part: Double, _ histogram: Histogram) -> AffineParameters {
        let allowed = Int(part * Double(histogram.count))
        func bound(_ bins: some Sequence<Int>, end: Double) -> Float {
            var passed = 0
            for bin in bins {
                passed += histogram.counts[bin]
                if passed > allowed { return Float(histogram.center(bin) + end * histogram.width) }
            }
            return 0
        }
        // Never wider than what was seen.
        let low = max(min(0, histogram.minimum), bound(histogram.counts.indices, end: -0.5))
        let high = min(max(0, histogram.maximum), bound(histogram.counts.indices.reversed(), end: 0.5))
        return AffineParameters(minimum: low, maximum: high)
    }

    /// The interval of least cost among those that shrink the whole one towards zero.
    private static func best(
        _ low: Float, _ high: Float, cost: (AffineParameters) -> Double
    ) -> AffineParameters {
        var best = AffineParameters(minimum: low, maximum: high)
        var least = cost(best)
        for percent in stride(from: 98, through: 20, by: -2) {
            let factor = Float(percent) / 100
            let candidate = AffineParameters(minimum: low * factor, maximum: high * factor)
            let found = cost(candidate)
            if found < least { (best, least) = (candidate, found) }
        }
        return best
    }
}

extension AffineParameters {
    /// The sum of squared errors over the numbers of a histogram, each taken for the middle of its bin.
    func squaredError(of histogram: Histogram) -> Double {
        var sum = 0.0
        for (bin, count) in histogram.counts.enumerated() where count > 0 {
            let center = histogram.center(bin)
            let error = center - requantized(center)
            sum += Double(count) * error * error
        }
        return sum
    }

    /// The divergence of the quantized numbers' distribution from that of the numbers, those outside the interval at its ends.
    ///
    /// Each level's share is spread evenly over the bins that held something and are rounded to it.
    func divergence(of histogram: Histogram) -> Double {
        var level = [Int](repeating: -1, count: histogram.counts.count)
        var (whole, occupied, clipped) = (
            [Double](repeating: 0, count: 256), [Double](repeating: 0, count: 256), [Double](repeating: 0, count: 256)
        )
        let (low, high) = (-Double(zeroPoint) * Double(scale), (255 - Double(zeroPoint)) * Double(scale))
        for (bin, count) in histogram.counts.enumerated() where count > 0 {
            let center = histogram.center(bin)
            let steps = (requantized(center) / Double(scale)).rounded()
            let index = max(0, min(255, Int(steps) + Int(zeroPoint)))
            if center < low - Double(scale) / 2 || center > high + Double(scale) / 2 {
                // It counts in what there is, and not in what the levels are spread over.
                clipped[index] += Double(count)
            } else {
                level[bin] = index
                whole[index] += Double(count)
                occupied[index] += 1
            }
        }
        let kept = whole.reduce(0, +)
        if kept == 0 { return .infinity }
        let total = kept + clipped.reduce(0, +)
        var divergence = 0.0
        for (index, count) in clipped.enumerated() where count > 0 && occupied[index] == 0 {
            // A level that nothing but clipped numbers have: they have half a number's share there.
            divergence += count / total * log(count / total * kept / 0.5)
        }
        for (bin, count) in histogram.counts.enumerated() where level[bin] >= 0 {
            let index = level[bin]
            // What was clipped lies in the outermost bins of its level.
            let p = (Double(count) + clipped[index] / occupied[index]) / total
            let q = whole[index] / occupied[index] / kept
            divergence += p * log(p / q)
        }
        return divergence
    }
}
