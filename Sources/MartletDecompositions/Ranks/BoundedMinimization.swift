/// A minimum of a function on an interval, without derivatives: Brent's combination of parabolas and golden sections
/// ("Algorithms for Minimization without Derivatives", 1973, chapter 5).
///
/// It ends within `tolerance` and about `1.5e-8 |x|` of a local minimum. The bounds themselves are not tried.
func minimum(
    of function: (Double) -> Double, from lowerBound: Double, to upperBound: Double, tolerance: Double
) -> Double {
    let golden = (3 - 5.0.squareRoot()) / 2
    var (lower, upper) = (lowerBound, upperBound)
    // The best point so far, the second best, and the one that was second best before.
    var best = lower + golden * (upper - lower)
    var (second, third) = (best, best)
    var bestValue = function(best)
    var (secondValue, thirdValue) = (bestValue, bestValue)
    var (step, stepBefore) = (0.0, 0.0)
    // Golden sections alone need 100 steps for 20 digits; parabolas only help.
    for _ in 0..<300 {
        let middle = 0.5 * (lower + upper)
        let resolution = 1.5e-8 * abs(best) + tolerance / 3
        if abs(best - middle) <= 2 * resolution - 0.5 * (upper - lower) { break }

        var parabolic = false
        if abs(stepBefore) > resolution {
            // The vertex of the parabola through the three points is at best + numerator / denominator.
            let r = (best - second) * (bestValue - thirdValue)
            var denominator = (best - third) * (bestValue - secondValue)
            var numerator = (best - third) * denominator - (best - second) * r
            denominator = 2 * (denominator - r)
            if denominator > 0 { numerator = -numerator }
            denominator = abs(denominator)
            let inside = numerator > denominator * (lower - best) && numerator < denominator * (upper - best)
            if inside && abs(numerator) < abs(0.5 * denominator * stepBefore) {
                parabolic = true
                stepBefore = step
                step = numerator / denominator
                let point = best + step
                // Not too near the ends.
                if point - lower < 2 * resolution || upper - point < 2 * resolution {
                    step = best < middle ? resolution : -resolution
                }
            }
        }
        if !parabolic {
            stepBefore = best < middle ? upper - best : lower - best
            step = golden * stepBefore
        }
        // Nor too near the best point.
        let point = abs(step) >= resolution ? best + step : best + (step > 0 ? resolution : -resolution)
        let value = function(point)

        if value <= bestValue {
            if point < best { upper = best } else { lower = best }
            (third, thirdValue) = (second, secondValue)
            (second, secondValue) = (best, bestValue)
            (best, bestValue) = (point, value)
        } else {
            if point < best { lower = point } else { upper = point }
            if value <= secondValue || second == best {
                (third, thirdValue) = (second, secondValue)
                (second, secondValue) = (point, value)
            } else if value <= thirdValue || third == best || third == second {
                (third, thirdValue) = (point, value)
            }
        }
    }
    return best
}
