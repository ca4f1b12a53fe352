// Products of signals that lie side by side in vectors of channels: what second moments are added up from. A block is
// `vectorLanes()` channels; the product of two blocks is a square of as many rows and columns, row-major.

import CMartletIntrinsics

/// products += sum over k of a[k] b[k]^T, for one block `a` and one or two blocks `b`.
///
/// - Parameters:
///   - a: `count` vectors, one block of channels: the rows of the products.
///   - b0: `count` vectors: the columns of the first product.
///   - b1: Those of the second product, or null.
///   - products0: The first product.
///   - products1: The second product; not touched where `b1` is null.
///   - ahead: How many floats on the vectors are that will be multiplied next.
public func blockProducts(
    a: UnsafePointer<Float>, b0: UnsafePointer<Float>, b1: UnsafePointer<Float>?, count: Int,
    products0: UnsafeMutablePointer<Float>, products1: UnsafeMutablePointer<Float>, ahead: Int
) {
    let lanes = Vector.scalarCount
    var row = 0
    guard let b1 else {
        while row < lanes {
            fourRowsOneBlock(a + row, b0, count: count, products0 + row * lanes)
            row += 4
        }
        return
    }
    #if MARTLET_AVX512
        // With 32 registers there is room for twice the sums, and a loaded vector is used twice as often.
        while row < lanes {
            eightRowsTwoBlocks(
                a + row, b0, b1, count: count, products0 + row * lanes, products1 + row * lanes,
                next0: (row == 0 ? b0 : a) + ahead, next1: (row == 0 ? b1 : a) + ahead)
            row += 8
        }
    #else
        while row < lanes {
            fourRowsTwoBlocks(a + row, b0, b1, count: count, products0 + row * lanes, products1 + row * lanes)
            row += 4
        }
    #endif
}

#if MARTLET_AVX512
    @inline(__always) private func eightRowsTwoBlocks(
        _ a: UnsafePointer<Float>, _ b0: UnsafePointer<Float>, _ b1: UnsafePointer<Float>, count: Int,
        _ products0: UnsafeMutablePointer<Float>, _ products1: UnsafeMutablePointer<Float>,
        next0: UnsafePointer<Float>, next1: UnsafePointer<Float>
    ) {
        let lanes = Vector.scalarCount
        var (c00, c10, c20, c30) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (c40, c50, c60, c70) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (c01, c11, c21, c31) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (c41, c51, c61, c71) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var k = 0
        let end = count * lanes
        while k < end {
            martlet_prefetch(next0 + k)
            martlet_prefetch(next1 + k)
            let (x, y) = (load(b0 + k), load(b1 + k))
            let (r0, r1) = (Vector(repeating: a[k]), Vector(repeating: a[k + 1]))
            let (r2, r3) = (Vector(repeating: a[k + 2]), Vector(repeating: a[k + 3]))
            let (r4, r5) = (Vector(repeating: a[k + 4]), Vector(repeating: a[k + 5]))
            let (r6, r7) = (Vector(repeating: a[k + 6]), Vector(repeating: a[k + 7]))
            c00 = multiplyAdd(c00, r0, x)
            c01 = multiplyAdd(c01, r0, y)
            c10 = multiplyAdd(c10, r1, x)
            c11 = multiplyAdd(c11, r1, y)
            c20 = multiplyAdd(c20, r2, x)
            c21 = multiplyAdd(c21, r2, y)
            c30 = multiplyAdd(c30, r3, x)
            c31 = multiplyAdd(c31, r3, y)
            c40 = multiplyAdd(c40, r4, x)
            c41 = multiplyAdd(c41, r4, y)
            c50 = multiplyAdd(c50, r5, x)
            c51 = multiplyAdd(c51, r5, y)
            c60 = multiplyAdd(c60, r6, x)
            c61 = multiplyAdd(c61, r6, y)
            c70 = multiplyAdd(c70, r7, x)
            c71 = multiplyAdd(c71, r7, y)
            k += lanes
        }
        addTo(products0, c00, c10, c20, c30)
        addTo(products0 + 4 * lanes, c40, c50, c60, c70)
        addTo(products1, c01, c11, c21, c31)
        addTo(products1 + 4 * lanes, c41, c51, c61, c71)
    }
#endif

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
/// Three real products make a complex one: with `F = (ar + ai)(br - bi)`, `G = (ar - ai)(br + bi)` and `H = ar br` the real part
/// is `2 H - (F + G) / 2` and the imaginary part `(G - F) / 2`. The sums and differences stand in the spectra already.
///
/// - Parameters:
///   - a: For each frequency `count` triples of vectors, as ``separateSpectra(column:mirrored:count:frequencies:output:outputStep:)``
///     writes them: the rows.
///   - b0: Likewise the columns of the first product.
///   - b1: Those of the second product, or null.
///   - frequencyStep: Floats between the frequencies of `a`, and of `b0` and `b1`.
///   - products0: For each frequency two squares, real and imaginary part; overwritten.
///   - products1: The same of the second product; not touched where `b1` is null.
public func spectralProducts(
    a: UnsafePointer<Float>, b0: UnsafePointer<Float>, b1: UnsafePointer<Float>?, frequencies: Int, frequencyStep: Int,
    count: Int, products0: UnsafeMutablePointer<Float>, products1: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    let square = lanes * lanes
    var frequency = 0
    while frequency < frequencies {
        let offset = frequency * frequencyStep
        let target = frequency * 2 * square
        var row = 0
        while row < lanes {
            let (a, place) = (a + offset + row, target + row * lanes)
            if let b1 {
                #if MARTLET_AVX512
                    // What the next frequency reads is asked for meanwhile, a third of it in each of the first three passes.
                    let next = row == 0 ? a : row == 4 ? b0 + offset : b1 + offset
                    fourRowsTwoBlocksComplex(
                        a, b0 + offset, b1 + offset, count: count, products0 + place, products1 + place,
                        next: next + frequencyStep)
                #else
                    fourRowsComplex(a, b0 + offset, count: count, products0 + place)
                    fourRowsComplex(a, b1 + offset, count: count, products1 + place)
                #endif
            } else {
                fourRowsComplex(a, b0 + offset, count: count, products0 + place)
            }
            row += 4
        }
        frequency += 1
    }
}

#if MARTLET_AVX512
    /// Of two products at once: a processor takes fewer loads in a cycle than multiplications, and this shares those of `a`.
    @inline(__always) private func fourRowsTwoBlocksComplex(
        _ a: UnsafePointer<Float>, _ b0: UnsafePointer<Float>, _ b1: UnsafePointer<Float>, count: Int,
        _ products0: UnsafeMutablePointer<Float>, _ products1: UnsafeMutablePointer<Float>, next: UnsafePointer<Float>
    ) {
        let lanes = Vector.scalarCount
        var (f0, f1, f2, f3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (g0, g1, g2, g3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (h0, h1, h2, h3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (f4, f5, f6, f7) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (g4, g5, g6, g7) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var (h4, h5, h6, h7) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var k = 0
        let end = count * 3 * lanes
        while k < end {
            martlet_prefetch(next + k)
            martlet_prefetch(next + k + lanes)
            martlet_prefetch(next + k + 2 * lanes)
            let (reals, sums) = (a + k, a + k + lanes)
            let differences = sums + lanes
            let (x, y) = (load(b0 + k), load(b1 + k))
            let (r0, r1) = (Vector(repeating: reals[0]), Vector(repeating: reals[1]))
            let (r2, r3) = (Vector(repeating: reals[2]), Vector(repeating: reals[3]))
            h0 = multiplyAdd(h0, r0, x)
            h4 = multiplyAdd(h4, r0, y)
            h1 = multiplyAdd(h1, r1, x)
            h5 = multiplyAdd(h5, r1, y)
            h2 = multiplyAdd(h2, r2, x)
            h6 = multiplyAdd(h6, r2, y)
            h3 = multiplyAdd(h3, r3, x)
            h7 = multiplyAdd(h7, r3, y)
            let (xd, yd) = (load(b0 + k + 2 * lanes), load(b1 + k + 2 * lanes))
            let (s0, s1) = (Vector(repeating: sums[0]), Vector(repeating: sums[1]))
            let (s2, s3) = (Vector(repeating: sums[2]), Vector(repeating: sums[3]))
            f0 = multiplyAdd(f0, s0, xd)
            f4 = multiplyAdd(f4, s0, yd)
            f1 = multiplyAdd(f1, s1, xd)
            f5 = multiplyAdd(f5, s1, yd)
            f2 = multiplyAdd(f2, s2, xd)
            f6 = multiplyAdd(f6, s2, yd)
            f3 = multiplyAdd(f3, s3, xd)
            f7 = multiplyAdd(f7, s3, yd)
            let (xs, ys) = (load(b0 + k + lanes), load(b1 + k + lanes))
            let (d0, d1) = (Vector(repeating: differences[0]), Vector(repeating: differences[1]))
            let (d2, d3) = (Vector(repeating: differences[2]), Vector(repeating: differences[3]))
            g0 = multiplyAdd(g0, d0, xs)
            g4 = multiplyAdd(g4, d0, ys)
            g1 = multiplyAdd(g1, d1, xs)
            g5 = multiplyAdd(g5, d1, ys)
            g2 = multiplyAdd(g2, d2, xs)
            g6 = multiplyAdd(g6, d2, ys)
            g3 = multiplyAdd(g3, d3, xs)
            g7 = multiplyAdd(g7, d3, ys)
            k += 3 * lanes
        }
        storeComplex(f0, g0, h0, products0)
        storeComplex(f1, g1, h1, products0 + lanes)
        storeComplex(f2, g2, h2, products0 + 2 * lanes)
        storeComplex(f3, g3, h3, products0 + 3 * lanes)
        storeComplex(f4, g4, h4, products1)
        storeComplex(f5, g5, h5, products1 + lanes)
        storeComplex(f6, g6, h6, products1 + 2 * lanes)
        storeComplex(f7, g7, h7, products1 + 3 * lanes)
    }
#endif

@inline(__always) private func fourRowsComplex(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, _ products: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var (f0, f1, f2, f3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var (g0, g1, g2, g3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var (h0, h1, h2, h3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    var k = 0
    let end = count * 3 * lanes
    while k < end {
        let (x, sum, difference) = (load(b + k), load(b + k + lanes), load(b + k + 2 * lanes))
        let (reals, sums) = (a + k, a + k + lanes)
        let differences = sums + lanes
        h0 = multiplyAdd(h0, Vector(repeating: reals[0]), x)
        h1 = multiplyAdd(h1, Vector(repeating: reals[1]), x)
        h2 = multiplyAdd(h2, Vector(repeating: reals[2]), x)
        h3 = multiplyAdd(h3, Vector(repeating: reals[3]), x)
        f0 = multiplyAdd(f0, Vector(repeating: sums[0]), difference)
        f1 = multiplyAdd(f1, Vector(repeating: sums[1]), difference)
        f2 = multiplyAdd(f2, Vector(repeating: sums[2]), difference)
        f3 = multiplyAdd(f3, Vector(repeating: sums[3]), difference)
        g0 = multiplyAdd(g0, Vector(repeating: differences[0]), sum)
        g1 = multiplyAdd(g1, Vector(repeating: differences[1]), sum)
        g2 = multiplyAdd(g2, Vector(repeating: differences[2]), sum)
        g3 = multiplyAdd(g3, Vector(repeating: differences[3]), sum)
        k += 3 * lanes
    }
    storeComplex(f0, g0, h0, products)
    storeComplex(f1, g1, h1, products + lanes)
    storeComplex(f2, g2, h2, products + 2 * lanes)
    storeComplex(f3, g3, h3, products + 3 * lanes)
}

/// Writes a row of the real square, and of the imaginary one behind it.
@inline(__always) private func storeComplex(
    _ f: Vector, _ g: Vector, _ h: Vector, _ real: UnsafeMutablePointer<Float>
) {
    let half = Vector(repeating: 0.5)
    store(multiplyAdd(h + h, f + g, -half), to: real)
    store((g - f) * half, to: real + Vector.scalarCount * Vector.scalarCount)
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
///
/// The frequencies f and n - f have the same cosine and opposite sines: they are added and subtracted first.
@inline(__always) private func verticalSums(
    _ products: UnsafePointer<Float>, frequencies: Int, angles: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    let square = lanes * lanes
    let step = 2 * square
    var e = 0
    while e < square {
        let (first, second) = (products + e, products + e + lanes)
        // Frequency zero has neither mirror image nor sine, and the middle one of an even number likewise.
        var (a0, c0) = (load(first), load(first + square))
        var (a1, c1) = (load(second), load(second + square))
        var (b0, d0, b1, d1) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var f = 1
        while 2 * f < frequencies {
            let (low, high) = (f * step, (frequencies - f) * step)
            let cosine = Vector(repeating: angles[2 * f])
            let sine = Vector(repeating: angles[2 * f + 1])
            let (p0, q0) = (load(first + low), load(first + low + square))
            let (p1, q1) = (load(second + low), load(second + low + square))
            let (r0, s0) = (load(first + high), load(first + high + square))
            let (r1, s1) = (load(second + high), load(second + high + square))
            a0 = multiplyAdd(a0, p0 + r0, cosine)
            b0 = multiplyAdd(b0, p0 - r0, sine)
            c0 = multiplyAdd(c0, q0 + s0, cosine)
            d0 = multiplyAdd(d0, q0 - s0, sine)
            a1 = multiplyAdd(a1, p1 + r1, cosine)
            b1 = multiplyAdd(b1, p1 - r1, sine)
            c1 = multiplyAdd(c1, q1 + s1, cosine)
            d1 = multiplyAdd(d1, q1 - s1, sine)
            f += 1
        }
        if 2 * f == frequencies {
            let cosine = Vector(repeating: angles[2 * f])
            a0 = multiplyAdd(a0, load(first + f * step), cosine)
            c0 = multiplyAdd(c0, load(first + f * step + square), cosine)
            a1 = multiplyAdd(a1, load(second + f * step), cosine)
            c1 = multiplyAdd(c1, load(second + f * step + square), cosine)
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

/// Adds to what products of lines are at given lags: `lags[d] += sum over f of (P cos(alpha) - Q sin(alpha))` with
/// `alpha = 2 pi f d / n`.
///
/// - Parameters:
///   - products: As ``spectralProducts`` leaves them, for the `frequencies` from zero to half the line's length.
///   - angles: For each magnitude of a lag and each frequency the cosine and the sine, times how often the frequency
///     counts and over n.
///   - lags: For each magnitude where the square of the lag is among the targets, and that of the negative lag; -1 for none.
///   - target: A square for each lag, added to.
public func addLineLags(
    products: UnsafePointer<Float>, frequencies: Int, angles: UnsafePointer<Float>, lags: UnsafePointer<Int>,
    magnitudes: Int, target: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    let square = lanes * lanes
    var magnitude = 0
    while magnitude < magnitudes {
        let (forward, backward) = (lags[2 * magnitude], lags[2 * magnitude + 1])
        let angles = angles + magnitude * 2 * frequencies
        var e = 0
        while e < square {
            var (a0, a1, a2, a3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
            var (d0, d1, d2, d3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
            var f = 0
            while f < frequencies {
                let (real, imaginary) = (products + f * 2 * square + e, products + (f * 2 + 1) * square + e)
                let (cosine, sine) = (Vector(repeating: angles[2 * f]), Vector(repeating: angles[2 * f + 1]))
                a0 = multiplyAdd(a0, load(real), cosine)
                a1 = multiplyAdd(a1, load(real + lanes), cosine)
                a2 = multiplyAdd(a2, load(real + 2 * lanes), cosine)
                a3 = multiplyAdd(a3, load(real + 3 * lanes), cosine)
                d0 = multiplyAdd(d0, load(imaginary), sine)
                d1 = multiplyAdd(d1, load(imaginary + lanes), sine)
                d2 = multiplyAdd(d2, load(imaginary + 2 * lanes), sine)
                d3 = multiplyAdd(d3, load(imaginary + 3 * lanes), sine)
                f += 1
            }
            if forward >= 0 { addTo(target + forward * square + e, a0 - d0, a1 - d1, a2 - d2, a3 - d3) }
            if backward >= 0 { addTo(target + backward * square + e, a0 + d0, a1 + d1, a2 + d2, a3 + d3) }
            e += 4 * lanes
        }
        magnitude += 1
    }
}

/// sums += values, in double precision; differences += sign values, for as many as there are. Counts are multiples of 8.
public func addInDouble(
    _ values: UnsafePointer<Float>, count: Int, to sums: UnsafeMutablePointer<Double>,
    differences: UnsafeMutablePointer<Float>, differenceCount: Int, sign: Float
) {
    var index = 0
    while index < count {
        let value = UnsafeRawPointer(values + index).loadUnaligned(as: SIMD8<Float>.self)
        let wide = SIMD8<Double>(
            Double(value[0]), Double(value[1]), Double(value[2]), Double(value[3]), Double(value[4]), Double(value[5]),
            Double(value[6]), Double(value[7]))
        let sum = UnsafeMutableRawPointer(sums + index)
        sum.storeBytes(of: sum.loadUnaligned(as: SIMD8<Double>.self) + wide, as: SIMD8<Double>.self)
        if index < differenceCount {
            let difference = UnsafeMutableRawPointer(differences + index)
            difference.storeBytes(
                of: difference.loadUnaligned(as: SIMD8<Float>.self) + value * sign, as: SIMD8<Float>.self)
        }
        index += 8
    }
}

/// Copies channels into neighbouring lanes: `target[y][x]` of vectors gets `source[y][x]`, for one channel or for four.
public func fillLanes(
    source: UnsafePointer<Float>, channelStep: Int, channels: Int, rowStep: Int, columnStep: Int, rows: Int,
    columns: Int,
    target: UnsafeMutablePointer<Float>, targetRowStep: Int
) {
    let lanes = Vector.scalarCount
    var row = 0
    while row < rows {
        let (s0, target) = (source + row * rowStep, target + row * targetRowStep)
        var column = 0
        if channels == 4 {
            let (s1, s2, s3) = (s0 + channelStep, s0 + 2 * channelStep, s0 + 3 * channelStep)
            while column < columns {
                let place = column * columnStep
                UnsafeMutableRawPointer(target + column * lanes).storeBytes(
                    of: SIMD4(s0[place], s1[place], s2[place], s3[place]), as: SIMD4<Float>.self)
                column += 1
            }
        } else {
            while column < columns {
                target[column * lanes] = s0[column * columnStep]
                column += 1
            }
        }
        row += 1
    }
}

/// sums += the sum of `rows` rows of `count` vectors, rows `rowStep` floats apart.
public func addVectors(
    _ vectors: UnsafePointer<Float>, rows: Int, rowStep: Int, count: Int, to sums: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var (s0, s1, s2, s3) = (load(sums), Vector.zero, Vector.zero, Vector.zero)
    var row = 0
    while row < rows {
        let vectors = vectors + row * rowStep
        let end = count * lanes
        var k = 0
        while k + 3 * lanes < end {
            s0 += load(vectors + k)
            s1 += load(vectors + k + lanes)
            s2 += load(vectors + k + 2 * lanes)
            s3 += load(vectors + k + 3 * lanes)
            k += 4 * lanes
        }
        if k < end { s0 += load(vectors + k) }
        if k + lanes < end { s1 += load(vectors + k + lanes) }
        if k + 2 * lanes < end { s2 += load(vectors + k + 2 * lanes) }
        row += 1
    }
    store((s0 + s1) + (s2 + s3), to: sums)
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
