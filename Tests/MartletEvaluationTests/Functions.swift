import Foundation

// Foundation's names clash with the networks' (Operator): these two are all the tests need of it.
func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }
