/// The products of a row with several rows in half precision: `results[j * step] = left . right[j]`, added up in single
/// precision.
///
/// Weights that come from memory arrive in half the time. Rows are read four at a time, each from its beginning to its
/// end; a product's order depends on `length` alone.
///
/// - Parameters:
///   - left: `length` elements.
///   - right: `rightCount` rows of `length` elements, one after the other.
public func halfDotProducts(
    left: UnsafePointer<Float>, right: UnsafePointer<Float16>, rightCount: Int, length: Int,
    results: UnsafeMutablePointer<Float>, step: Int
) {
    var j = 0
    while j + 4 <= rightCount {
        let a = right + j * length
        let (b, c, d) = (a + length, a + 2 * length, a + 3 * length)
        var (xa, xb, xc, xd) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var k = 0
        while k + Vector.scalarCount <= length {
            let x = load(left + k)
            xa = multiplyAdd(xa, x, widened(a + k))
            xb = multiplyAdd(xb, x, widened(b + k))
            xc = multiplyAdd(xc, x, widened(c + k))
            xd = multiplyAdd(xd, x, widened(d + k))
            k += Vector.scalarCount
        }
        let target = results + j * step
        target[0] = total(xa, left, a, from: k, to: length)
        target[step] = total(xb, left, b, from: k, to: length)
        target[2 * step] = total(xc, left, c, from: k, to: length)
        target[3 * step] = total(xd, left, d, from: k, to: length)
        j += 4
    }
    while j < rightCount {
        let a = right + j * length
        var xa = Vector.zero
        var k = 0
        while k + Vector.scalarCount <= length {
            xa = multiplyAdd(xa, load(left + k), widened(a + k))
            k += Vector.scalarCount
        }
        results[j * step] = total(xa, left, a, from: k, to: length)
        j += 1
    }
}

/// The sum of the lanes and of what is left of the rows.
@inline(__always) private func total(
    _ lanes: Vector, _ x: UnsafePointer<Float>, _ a: UnsafePointer<Float16>, from first: Int, to length: Int
) -> Float {
    var result = sumOfLanes(lanes)
    var k = first
    while k < length {
        result += x[k] * Float(a[k])
        k += 1
    }
    return result
}
