import Foundation

/// A number with its derivative along one direction, in double precision: sums, products and functions carry both, so that
/// the derivative of whatever is computed forward comes out, by no formula that a backward pass would use.
struct Dual {
    var value: Double
    var slope: Double = 0

    init(_ value: Double, _ slope: Double = 0) {
        self.value = value
        self.slope = slope
    }

    static func + (a: Dual, b: Dual) -> Dual { Dual(a.value + b.value, a.slope + b.slope) }
    static func - (a: Dual, b: Dual) -> Dual { Dual(a.value - b.value, a.slope - b.slope) }
    static func * (a: Dual, b: Dual) -> Dual { Dual(a.value * b.value, a.slope * b.value + a.value * b.slope) }
    static func / (a: Dual, b: Dual) -> Dual {
        Dual(a.value / b.value, (a.slope * b.value - a.value * b.slope) / (b.value * b.value))
    }
    static func += (a: inout Dual, b: Dual) { a = a + b }
    static func < (a: Dual, b: Dual) -> Bool { a.value < b.value }

    var exponential: Dual { Dual(exp(value), slope * exp(value)) }
    var logarithm: Dual { Dual(log(value), slope / value) }
    func power(_ exponent: Double) -> Dual {
        Dual(pow(value, exponent), slope * exponent * pow(value, exponent - 1))
    }
    func clamped(_ low: Double, _ high: Double) -> Dual {
        value < low ? Dual(low) : value > high ? Dual(high) : self
    }
}
