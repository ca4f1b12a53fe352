// Products of signals that lie side by side in vectors of channels: what second moments are added up from. A block is
// `vectorLanes()` channels; the product of two blocks is a square of as many rows and columns, row-major.

/// products += sum over k of a[k] b[k]^T, for one block `a` and one or two blocks `b`.
///
/// - Parameters:
///   - a: `count` vectors, one block of channels: the rows of the products.
///   - b0: `count` vectors: the columns of the first product.
///   - b1: Those of the second product, or null.
///   - products0: The first product.
///   - products1: The second product; not touched where `b1` is null.
public func blockProducts(
    a: UnsafePointer<Float>, b0: UnsafePointer<Float>, b1: UnsafePointer<Float>?, count: Int,
    products0: UnsafeMutablePointer<Float>, products1: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var row = 0
    while row < lanes {
        if let b1 {
            fourRowsTwoBlocks(
                a + row, b0, b1, count: count, products0 + row * lanes, products1 + row * lanes)
        } else {
            fourRowsOneBlock(a + row, b0, count: count, products0 + row * lanes)
        }
        row += 4
    }
}

@inline(__always) private func fourRowsTwoBlocks(
    _ a: UnsafePointer<Float>, _ b0: UnsafePointer<Float>, _ b1: UnsafePointer<Float>, count: Int,
    _ products0: UnsafeMutablePointer<Float>, _ products1: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var (c00, c10, c20, c30) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var (c01, c11, c21, c31) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var k = 0
    let end = count * lanes
    while k < end {
        let (x, y) = (load(b0 + k), load(b1 + k))
        let (r0, r1) = (Vector(repeating: a[k]), Vector(repeating: a[k + 1]))
        let (r2, r3) = (Vector(repeating: a[k + 2]), Vector(repeating: a[k + 3]))
        c00 = multiplyAdd(c00, r0, x)
        c01 = multiplyAdd(c01, r0, y)
        c10 = multiplyAdd(c10, r1, x)
        c11 = multiplyAdd(c11, r1, y)
        c20 = multiplyAdd(c20, r2, x)
        c21 = multiplyAdd(c21, r2, y)
        c30 = multiplyAdd(c30, r3, x)
        c31 = multiplyAdd(c31, r3, y)
        k += lanes
    }
    addTo(products0, c00, c10, c20, c30)
    addTo(products1, c01, c11, c21, c31)
}

@inline(__always) private func fourRowsOneBlock(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, _ products: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    // Two vectors at a time, into sums of their own: one chain of additions alone would wait for itself.
    var (c0, c1, c2, c3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var (d0, d1, d2, d3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var k = 0
    let end = count * lanes
    while k + lanes < end {
        let (x, y) = (load(b + k), load(b + k + lanes))
        c0 = multiplyAdd(c0, Vector(repeating: a[k]), x)
        c1 = multiplyAdd(c1, Vector(repeating: a[k + 1]), x)
        c2 = multiplyAdd(c2, Vector(repeating: a[k + 2]), x)
        c3 = multiplyAdd(c3, Vector(repeating: a[k + 3]), x)
        d0 = multiplyAdd(d0, Vector(repeating: a[k + lanes]), y)
        d1 = multiplyAdd(d1, Vector(repeating: a[k + lanes + 1]), y)
        d2 = multiplyAdd(d2, Vector(repeating: a[k + lanes + 2]), y)
        d3 = multiplyAdd(d3, Vector(repeating: a[k + lanes + 3]), y)
        k += 2 * lanes
    }
    if k < end {
        let x = load(b + k)
        c0 = multiplyAdd(c0, Vector(repeating: a[k]), x)
        c1 = multiplyAdd(c1, Vector(repeating: a[k + 1]), x)
        c2 = multiplyAdd(c2, Vector(repeating: a[k + 2]), x)
        c3 = multiplyAdd(c3, Vector(repeating: a[k + 3]), x)
    }
    addTo(products, c0 + d0, c1 + d1, c2 + d2, c3 + d3)
}

@inline(__always) private func addTo(
    _ rows: UnsafeMutablePointer<Float>, _ c0: Vector, _ c1: Vector, _ c2: Vector, _ c3: Vector
) {
    let lanes = Vector.scalarCount
    store(load(rows) + c0, to: rows)
    store(load(rows + lanes) + c1, to: rows + lanes)
    store(load(rows + 2 * lanes) + c2, to: rows + 2 * lanes)
    store(load(rows + 3 * lanes) + c3, to: rows + 3 * lanes)
}

/// The products of complex signals, frequency by frequency: with `conj(a[k]) b[k]^T` summed over k, its real part
/// and then its imaginary part, for each of `frequencies`.
///
/// - Parameters:
///   - a: For each frequency `count` pairs of vectors, real and imaginary part: the rows.
///   - b: Likewise the columns.
///   - frequencyStep: Floats between the frequencies of `a`, and of `b`.
///   - products: For each frequency two squares, real and imaginary part; overwritten.
public func spectralProducts(
    a: UnsafePointer<Float>, b: UnsafePointer<Float>, frequencies: Int, frequencyStep: Int, count: Int,
    products: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    let square = lanes * lanes
    var frequency = 0
    while frequency < frequencies {
        let a = a + frequency * frequencyStep
        let b = b + frequency * frequencyStep
        let target = products + frequency * 2 * square
        var row = 0
        while row < lanes {
            let (real, imaginary) = (target + row * lanes, target + square + row * lanes)
            fourRowsComplex(a + row, b, count: count, real, imaginary)
            row += 4
        }
        frequency += 1
    }
}

@inline(__always) private func fourRowsComplex(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, _ real: UnsafeMutablePointer<Float>,
    _ imaginary: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var (p0, p1, p2, p3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var (q0, q1, q2, q3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var k = 0
    let end = count * 2 * lanes
    while k < end {
        let (x, y) = (load(b + k), load(b + k + lanes))
        let minusX = -x
        let (r0, r1) = (Vector(repeating: a[k]), Vector(repeating: a[k + 1]))
        let (r2, r3) = (Vector(repeating: a[k + 2]), Vector(repeating: a[k + 3]))
        let (i0, i1) = (Vector(repeating: a[k + lanes]), Vector(repeating: a[k + lanes + 1]))
        let (i2, i3) = (Vector(repeating: a[k + lanes + 2]), Vector(repeating: a[k + lanes + 3]))
        p0 = multiplyAdd(multiplyAdd(p0, r0, x), i0, y)
        p1 = multiplyAdd(multiplyAdd(p1, r1, x), i1, y)
        p2 = multiplyAdd(multiplyAdd(p2, r2, x), i2, y)
        p3 = multiplyAdd(multiplyAdd(p3, r3, x), i3, y)
        q0 = multiplyAdd(multiplyAdd(q0, r0, y), i0, minusX)
        q1 = multiplyAdd(multiplyAdd(q1, r1, y), i1, minusX)
        q2 = multiplyAdd(multiplyAdd(q2, r2, y), i2, minusX)
        q3 = multiplyAdd(multiplyAdd(q3, r3, y), i3, minusX)
        k += 2 * lanes
    }
    store(p0, to: real)
    store(p1, to: real + lanes)
    store(p2, to: real + 2 * lanes)
    store(p3, to: real + 3 * lanes)
    store(q0, to: imaginary)
    store(q1, to: imaginary + lanes)
    store(q2, to: imaginary + 2 * lanes)
    store(q3, to: imaginary + 3 * lanes)
}

/// Adds one column of frequencies' products to what the products are at given lags.
///
/// With `P + iQ` the product at vertical frequency f, `alpha = 2 pi f dy / n` and `beta` the phase of this column:
/// `lags[dy, dx] += weight * sum over f of (P cos(alpha + beta) - Q sin(alpha + beta))`.
///
/// - Parameters:
///   - products: As ``spectralProducts`` leaves them, for `frequencies` vertical frequencies.
///   - angles: For each vertical lag 0 ... `maximumLag` and each frequency cos(alpha) and sin(alpha).
///   - maximumLag: The largest vertical lag.
///   - lags: The vertical lag, from `-maximumLag` on, and the cosine and sine of beta times the weight, of each lag, as
///     `lagCount` triples sorted by the vertical lag's magnitude.
///   - sums: Room for four squares.
///   - target: For each of the lags a square, added to.
public func addLags(
    products: UnsafePointer<Float>, frequencies: Int, angles: UnsafePointer<Float>, maximumLag: Int,
    lags: UnsafePointer<Float>, lagCount: Int, sums: UnsafeMutablePointer<Float>, target: UnsafeMutablePointer<Float>
) {
    let square = Vector.scalarCount * Vector.scalarCount
    var lag = 0
    var magnitude = 0
    while magnitude <= maximumLag && lag < lagCount {
        // No lag of this magnitude: nothing to sum.
        var first = lags[lag * 3]
        if first < 0 { first = -first }
        if Int(first) != magnitude {
            magnitude += 1
            continue
        }
        verticalSums(products, frequencies: frequencies, angles: angles + magnitude * 2 * frequencies, sums: sums)
        while lag < lagCount {
            let dy = lags[lag * 3]
            if Int(dy < 0 ? -dy : dy) != magnitude { break }
            // V1 = A - D, V2 = B + C for a lag downwards; A + D and C - B upwards.
            let sign = Vector(repeating: dy < 0 ? -1 : 1)
            let cosine = Vector(repeating: lags[lag * 3 + 1])
            let sine = Vector(repeating: -lags[lag * 3 + 2])
            let signedCosine = -cosine * sign
            let signedSine = sine * sign
            let lagTarget = target + lag * square
            var e = 0
            while e < square {
                var value = load(lagTarget + e)
                value = multiplyAdd(value, cosine, load(sums + e))
                value = multiplyAdd(value, signedCosine, load(sums + 3 * square + e))
                value = multiplyAdd(value, signedSine, load(sums + square + e))
                value = multiplyAdd(value, sine, load(sums + 2 * square + e))
                store(value, to: lagTarget + e)
                e += Vector.scalarCount
            }
            lag += 1
        }
        magnitude += 1
    }
}

/// The sums over frequencies of P cos, P sin, Q cos and Q sin.
@inline(__always) private func verticalSums(
    _ products: UnsafePointer<Float>, frequencies: Int, angles: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    let square = lanes * lanes
    var e = 0
    while e < square {
        var (a0, b0, c0, d0) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (a1, b1, c1, d1) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var source = products + e
        var f = 0
        while f < frequencies {
            let (p0, q0) = (load(source), load(source + square))
            let (p1, q1) = (load(source + lanes), load(source + square + lanes))
            let cosine = Vector(repeating: angles[2 * f])
            let sine = Vector(repeating: angles[2 * f + 1])
            a0 = multiplyAdd(a0, p0, cosine)
            b0 = multiplyAdd(b0, p0, sine)
            c0 = multiplyAdd(c0, q0, cosine)
            d0 = multiplyAdd(d0, q0, sine)
            a1 = multiplyAdd(a1, p1, cosine)
            b1 = multiplyAdd(b1, p1, sine)
            c1 = multiplyAdd(c1, q1, cosine)
            d1 = multiplyAdd(d1, q1, sine)
            source += 2 * square
            f += 1
        }
        store(a0, to: sums + e)
        store(a1, to: sums + e + lanes)
        store(b0, to: sums + square + e)
        store(b1, to: sums + square + e + lanes)
        store(c0, to: sums + 2 * square + e)
        store(c1, to: sums + 2 * square + e + lanes)
        store(d0, to: sums + 3 * square + e)
        store(d1, to: sums + 3 * square + e + lanes)
        e += 2 * lanes
    }
}

/// sums += values, in double precision.
public func addInDouble(_ values: UnsafePointer<Float>, count: Int, to sums: UnsafeMutablePointer<Double>) {
    var index = 0
    while index + 4 <= count {
        let value = UnsafeRawPointer(values + index).loadUnaligned(as: SIMD4<Float>.self)
        let target = UnsafeMutableRawPointer(sums + index)
        let wide = SIMD4<Double>(Double(value[0]), Double(value[1]), Double(value[2]), Double(value[3]))
        target.storeBytes(of: target.loadUnaligned(as: SIMD4<Double>.self) + wide, as: SIMD4<Double>.self)
        index += 4
    }
    while index < count {
        sums[index] += Double(values[index])
        index += 1
    }
}

/// Copies one channel into its lane: `target[y][x]` of vectors gets `source[y][x]`.
public func fillLane(
    source: UnsafePointer<Float>, rowStep: Int, columnStep: Int, rows: Int, columns: Int,
    target: UnsafeMutablePointer<Float>, targetRowStep: Int
) {
    let lanes = Vector.scalarCount
    var row = 0
    while row < rows {
        let source = source + row * rowStep
        let target = target + row * targetRowStep
        var column = 0
        while column < columns {
            target[column * lanes] = source[column * columnStep]
            column += 1
        }
        row += 1
    }
}

/// sums += the sum of `count` vectors.
public func addVectors(_ vectors: UnsafePointer<Float>, count: Int, to sums: UnsafeMutablePointer<Float>) {
    let lanes = Vector.scalarCount
    var (s0, s1) = (load(sums), Vector.zero)
    var k = 0
    let end = count * lanes
    while k + lanes < end {
        s0 += load(vectors + k)
        s1 += load(vectors + k + lanes)
        k += 2 * lanes
    }
    if k < end { s0 += load(vectors + k) }
    store(s0 + s1, to: sums)
}

/// Copies `count` vectors, `step` floats apart, side by side.
public func copyVectors(
    _ source: UnsafePointer<Float>, step: Int, count: Int, to target: UnsafeMutablePointer<Float>
) {
    var k = 0
    while k < count {
        store(load(source + k * step), to: target + k * Vector.scalarCount)
        k += 1
    }
}
