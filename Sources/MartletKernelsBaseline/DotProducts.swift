/// The product of several rows with one vector: `results[i * resultStride] = rows[i] . vector`.
///
/// Each product is summed in an order that depends on `length` alone, so a row's result is the same to the bit whatever
/// stands beside it. That is why fully connected layers use this and not a matrix product.
///
/// - Parameters:
///   - rows: `rowCount` rows of `length` elements, `rowStride` apart.
///   - vector: `length` elements.
public func dotProducts(
    _ rows: UnsafePointer<Float>, rowCount: Int, rowStride: Int, vector: UnsafePointer<Float>, length: Int,
    into results: UnsafeMutablePointer<Float>, resultStride: Int
) {
    let whole = length & ~15
    var row = 0
    while row + 2 <= rowCount {
        let first = rows + row * rowStride
        let second = first + rowStride
        var (a, b) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var (c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var i = 0
        while i < whole {
            let (low, high) = (loadEight(vector + i), loadEight(vector + i + 8))
            a += loadEight(first + i) * low
            b += loadEight(first + i + 8) * high
            c += loadEight(second + i) * low
            d += loadEight(second + i + 8) * high
            i += 16
        }
        results[row * resultStride] = sum(a, b) + tail(first, vector, whole, length)
        results[(row + 1) * resultStride] = sum(c, d) + tail(second, vector, whole, length)
        row += 2
    }
    if row < rowCount {
        let first = rows + row * rowStride
        var (a, b) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var i = 0
        while i < whole {
            a += loadEight(first + i) * loadEight(vector + i)
            b += loadEight(first + i + 8) * loadEight(vector + i + 8)
            i += 16
        }
        results[row * resultStride] = sum(a, b) + tail(first, vector, whole, length)
    }
}

@inline(__always) private func loadEight(_ pointer: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always) private func sum(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> Float {
    let eight = a + b
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}

@inline(__always) private func tail(
    _ row: UnsafePointer<Float>, _ vector: UnsafePointer<Float>, _ whole: Int, _ length: Int
) -> Float {
    var result: Float = 0
    var i = whole
    while i < length {
        result += row[i] * vector[i]
        i += 1
    }
    return result
}
