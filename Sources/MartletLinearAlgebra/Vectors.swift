/// Arithmetic on plain vectors, in order.

func dot(_ x: [Double], _ y: [Double]) -> Double {
    x.withUnsafeBufferPointer { x in
        y.withUnsafeBufferPointer { y in
            var sum = 0.0
            for index in 0..<min(x.count, y.count) { sum += x[index] * y[index] }
            return sum
        }
    }
}

/// `y + factor x`.
func add(_ factor: Double, _ x: [Double], to y: inout [Double]) {
    x.withUnsafeBufferPointer { x in
        y.withUnsafeMutableBufferPointer { y in
            for index in 0..<min(x.count, y.count) { y[index] += factor * x[index] }
        }
    }
}
