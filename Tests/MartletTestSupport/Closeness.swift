/// The largest difference between two sequences relative to the largest element expected (or absolute, below 1);
/// infinite if they differ in length or in where they are NaN or infinite.
public func relativeDifference(_ found: [Float], _ expected: [Double]) -> Double {
    if found.count != expected.count { return .infinity }
    var scale = 1.0
    for value in expected where value.isFinite { scale = max(scale, abs(value)) }
    var largest = 0.0
    for (a, b) in zip(found, expected) {
        if !b.isFinite || !a.isFinite {
            if !(a.isNaN && b.isNaN), Double(a) != b { return .infinity }
        } else {
            largest = max(largest, abs(Double(a) - b))
        }
    }
    return largest / scale
}
