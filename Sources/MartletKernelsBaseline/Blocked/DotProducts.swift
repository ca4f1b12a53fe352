/// The products of several rows with several others: `results[i * leftStep + j * rightStep] = left[i] . right[j]`.
///
/// Each product is summed in an order that depends on `length` alone, so it is the same to the bit whatever stands beside
/// it. That is why fully connected layers use this and not a matrix product. The rows on the right are read once, four at
/// a time and each from its beginning to its end: weights that come from memory.
///
/// - Parameters:
///   - left: `leftCount` rows of `length` elements, `leftStride` apart.
///   - right: `rightCount` rows of `length` elements, `rightStride` apart.
public func dotProducts(
    left: UnsafePointer<Float>, leftCount: Int, leftStride: Int, right: UnsafePointer<Float>, rightCount: Int,
    rightStride: Int, length: Int, results: UnsafeMutablePointer<Float>, leftStep: Int, rightStep: Int
) {
    var j = 0
    while j < rightCount {
        let rows = right + j * rightStride
        let isFour = j + 4 <= rightCount
        var i = 0
        while i < leftCount {
            let first = left + i * leftStride
            let target = results + i * leftStep + j * rightStep
            if isFour && i + 2 <= leftCount {
                twoByFour(first, leftStride, rows, rightStride, length, target, leftStep, rightStep)
                i += 2
            } else if isFour {
                oneByFour(first, rows, rightStride, length, target, rightStep)
                i += 1
            } else {
                target[0] = one(first, rows, length)
                i += 1
            }
        }
        j += isFour ? 4 : 1
    }
}

private func twoByFour(
    _ left: UnsafePointer<Float>, _ leftStride: Int, _ right: UnsafePointer<Float>, _ rightStride: Int, _ length: Int,
    _ target: UnsafeMutablePointer<Float>, _ leftStep: Int, _ rightStep: Int
) {
    let (x, y) = (left, left + leftStride)
    let (a, b) = (right, right + rightStride)
    let (c, d) = (right + 2 * rightStride, right + 3 * rightStride)
    var (xa, xb, xc, xd) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var (ya, yb, yc, yd) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var k = 0
    while k + Vector.scalarCount <= length {
        let (first, second) = (load(x + k), load(y + k))
        let (va, vb, vc, vd) = (load(a + k), load(b + k), load(c + k), load(d + k))
        xa = multiplyAdd(xa, first, va)
        xb = multiplyAdd(xb, first, vb)
        xc = multiplyAdd(xc, first, vc)
        xd = multiplyAdd(xd, first, vd)
        ya = multiplyAdd(ya, second, va)
        yb = multiplyAdd(yb, second, vb)
        yc = multiplyAdd(yc, second, vc)
        yd = multiplyAdd(yd, second, vd)
        k += Vector.scalarCount
    }
    target[0] = sum(xa, x, a, from: k, to: length)
    target[rightStep] = sum(xb, x, b, from: k, to: length)
    target[2 * rightStep] = sum(xc, x, c, from: k, to: length)
    target[3 * rightStep] = sum(xd, x, d, from: k, to: length)
    let below = target + leftStep
    below[0] = sum(ya, y, a, from: k, to: length)
    below[rightStep] = sum(yb, y, b, from: k, to: length)
    below[2 * rightStep] = sum(yc, y, c, from: k, to: length)
    below[3 * rightStep] = sum(yd, y, d, from: k, to: length)
}

private func oneByFour(
    _ x: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ rightStride: Int, _ length: Int,
    _ target: UnsafeMutablePointer<Float>, _ rightStep: Int
) {
    let (a, b) = (right, right + rightStride)
    let (c, d) = (right + 2 * rightStride, right + 3 * rightStride)
    var (xa, xb, xc, xd) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var k = 0
    while k + Vector.scalarCount <= length {
        let first = load(x + k)
        xa = multiplyAdd(xa, first, load(a + k))
        xb = multiplyAdd(xb, first, load(b + k))
        xc = multiplyAdd(xc, first, load(c + k))
        xd = multiplyAdd(xd, first, load(d + k))
        k += Vector.scalarCount
    }
    target[0] = sum(xa, x, a, from: k, to: length)
    target[rightStep] = sum(xb, x, b, from: k, to: length)
    target[2 * rightStep] = sum(xc, x, c, from: k, to: length)
    target[3 * rightStep] = sum(xd, x, d, from: k, to: length)
}

private func one(_ x: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ length: Int) -> Float {
    var xa = Vector.zero
    var k = 0
    while k + Vector.scalarCount <= length {
        xa = multiplyAdd(xa, load(x + k), load(a + k))
        k += Vector.scalarCount
    }
    return sum(xa, x, a, from: k, to: length)
}

/// The sum of the lanes and of what is left of the rows.
@inline(__always) private func sum(
    _ lanes: Vector, _ x: UnsafePointer<Float>, _ a: UnsafePointer<Float>, from first: Int, to length: Int
) -> Float {
    var result = sumOfLanes(lanes)
    var k = first
    while k < length {
        result += x[k] * a[k]
        k += 1
    }
    return result
}

/// The sum of the lanes, by halves.
@inline(__always) func sumOfLanes(_ lanes: Vector) -> Float {
    #if MARTLET_AVX512
        let eight = lanes.lowHalf + lanes.highHalf
        let four = eight.lowHalf + eight.highHalf
    #elseif MARTLET_AVX2
        let four = lanes.lowHalf + lanes.highHalf
    #else
        let four = lanes
    #endif
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}
