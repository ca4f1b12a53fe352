// The discrete Fourier transform of vectors of channels, each lane by itself: Stockham's form, which needs no reordering,
// with factors 2, 3, 4 and 5. A complex number is a vector of real parts and then one of imaginary parts.

/// The transform `X[f] = sum over n of x[n] exp(-2 pi i f n / count)`.
///
/// - Parameters:
///   - x: `count` complex numbers; overwritten.
///   - work: Room for as many.
///   - factors: Factors 2, 3, 4 or 5 of `count`, their product.
///   - twiddles: For each factor r, with n the product of it and those behind it, for p in `0 ..< n / r` and j in
///     `1 ..< r` the number `exp(-2 pi i p j / n)`, real and imaginary part.
/// - Returns: Where the result is: `x` or `work`.
public func fourierTransform(
    _ x: UnsafeMutablePointer<Float>, work: UnsafeMutablePointer<Float>, count: Int, factors: UnsafePointer<Int>,
    factorCount: Int, twiddles: UnsafePointer<Float>
) -> UnsafeMutablePointer<Float> {
    var (from, to) = (x, work)
    var twiddles = twiddles
    var n = count
    var stride = 1
    var index = 0
    while index < factorCount {
        let radix = factors[index]
        let m = n / radix
        switch radix {
        case 2: pass2(from, to, m: m, stride: stride, twiddles)
        case 3: pass3(from, to, m: m, stride: stride, twiddles)
        case 4: pass4(from, to, m: m, stride: stride, twiddles)
        default: pass5(from, to, m: m, stride: stride, twiddles)
        }
        twiddles += m * (radix - 1) * 2
        (from, to) = (to, from)
        n = m
        stride *= radix
        index += 1
    }
    return from
}

/// Parts the transform of `a + i b` of two real images into theirs: for vertical frequency f, `A[f] = (Z[f] +
/// conj(Z[-f])) / 2` and `B[f] = (Z[f] - conj(Z[-f])) / 2i`.
///
/// - Parameters:
///   - column: The column of frequencies, `count` complex numbers.
///   - mirrored: The column of the negative horizontal frequency.
///   - frequencies: How many of the vertical frequencies are wanted.
///   - output: For each vertical frequency A and then B; `outputStep` floats apart.
public func separateSpectra(
    column: UnsafePointer<Float>, mirrored: UnsafePointer<Float>, count: Int, frequencies: Int,
    output: UnsafeMutablePointer<Float>, outputStep: Int
) {
    let lanes = Vector.scalarCount
    let half = Vector(repeating: 0.5)
    var f = 0
    while f < frequencies {
        let z = column + f * 2 * lanes
        let other = mirrored + (f == 0 ? 0 : count - f) * 2 * lanes
        let (zr, zi) = (load(z), load(z + lanes))
        let (or, oi) = (load(other), load(other + lanes))
        let target = output + f * outputStep
        storeSpectrum((zr + or) * half, (zi - oi) * half, to: target)
        storeSpectrum((zi + oi) * half, (or - zr) * half, to: target + 3 * lanes)
        f += 1
    }
}

@inline(__always) private func storeSpectrum(
    _ real: Vector, _ imaginary: Vector, to target: UnsafeMutablePointer<Float>
) {
    store(real, to: target)
    store(real + imaginary, to: target + Vector.scalarCount)
    store(real - imaginary, to: target + 2 * Vector.scalarCount)
}

/// x[k] = a[k] + i b[k] for k below `count`, zero up to `total`; b may be null, for zeros.
public func pairSignals(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, count: Int, total: Int, into x: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    var k = 0
    while k < count {
        store(load(a + k * lanes), to: x + 2 * k * lanes)
        if let b {
            store(load(b + k * lanes), to: x + (2 * k + 1) * lanes)
        } else {
            store(Vector.zero, to: x + (2 * k + 1) * lanes)
        }
        k += 1
    }
    while k < total {
        store(Vector.zero, to: x + 2 * k * lanes)
        store(Vector.zero, to: x + (2 * k + 1) * lanes)
        k += 1
    }
}

/// Puts `count` complex numbers `step` floats apart.
public func scatterNumbers(
    _ x: UnsafePointer<Float>, count: Int, to target: UnsafeMutablePointer<Float>, step: Int
) {
    let lanes = Vector.scalarCount
    var k = 0
    while k < count {
        storePair(load(x + 2 * k * lanes), load(x + (2 * k + 1) * lanes), to: target + k * step)
        k += 1
    }
}

/// (real, imaginary) times a scalar complex number, stored.
@inline(__always) private func storeTimes(
    _ real: Vector, _ imaginary: Vector, _ twiddle: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
) {
    let (c, s) = (Vector(repeating: twiddle[0]), Vector(repeating: twiddle[1]))
    store(multiplyAdd(real * c, -imaginary, s), to: target)
    store(multiplyAdd(real * s, imaginary, c), to: target + Vector.scalarCount)
}

@inline(__always) private func storePair(
    _ real: Vector, _ imaginary: Vector, to target: UnsafeMutablePointer<Float>
) {
    store(real, to: target)
    store(imaginary, to: target + Vector.scalarCount)
}

@inline(__always) private func pass2(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, m: Int, stride: Int, _ twiddles: UnsafePointer<Float>
) {
    let lanes = Vector.scalarCount
    let unit = 2 * lanes
    for p in 0..<m {
        let twiddle = twiddles + 2 * p
        for q in 0..<stride {
            let source = x + (q + stride * p) * unit
            let other = source + stride * m * unit
            let target = y + (q + stride * 2 * p) * unit
            let (ar, ai) = (load(source), load(source + lanes))
            let (br, bi) = (load(other), load(other + lanes))
            storePair(ar + br, ai + bi, to: target)
            storeTimes(ar - br, ai - bi, twiddle, to: target + stride * unit)
        }
    }
}

@inline(__always) private func pass3(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, m: Int, stride: Int, _ twiddles: UnsafePointer<Float>
) {
    let lanes = Vector.scalarCount
    let unit = 2 * lanes
    let half = Vector(repeating: -0.5)
    let sine = Vector(repeating: 0.866_025_403_784_438_6)
    for p in 0..<m {
        let twiddle = twiddles + 4 * p
        for q in 0..<stride {
            let source = x + (q + stride * p) * unit
            let step = stride * m * unit
            let target = y + (q + stride * 3 * p) * unit
            let (ar, ai) = (load(source), load(source + lanes))
            let (br, bi) = (load(source + step), load(source + step + lanes))
            let (cr, ci) = (load(source + 2 * step), load(source + 2 * step + lanes))
            let (sr, si) = (br + cr, bi + ci)
            let (mr, mi) = (multiplyAdd(ar, sr, half), multiplyAdd(ai, si, half))
            let (dr, di) = ((br - cr) * sine, (bi - ci) * sine)
            storePair(ar + sr, ai + si, to: target)
            // -i sin(60 degrees) (b - c)
            storeTimes(mr + di, mi - dr, twiddle, to: target + stride * unit)
            storeTimes(mr - di, mi + dr, twiddle + 2, to: target + 2 * stride * unit)
        }
    }
}

@inline(__always) private func pass4(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, m: Int, stride: Int, _ twiddles: UnsafePointer<Float>
) {
    let lanes = Vector.scalarCount
    let unit = 2 * lanes
    for p in 0..<m {
        let twiddle = twiddles + 6 * p
        for q in 0..<stride {
            let source = x + (q + stride * p) * unit
            let step = stride * m * unit
            let target = y + (q + stride * 4 * p) * unit
            let (ar, ai) = (load(source), load(source + lanes))
            let (br, bi) = (load(source + step), load(source + step + lanes))
            let (cr, ci) = (load(source + 2 * step), load(source + 2 * step + lanes))
            let (dr, di) = (load(source + 3 * step), load(source + 3 * step + lanes))
            let (acr, aci) = (ar + cr, ai + ci)
            let (bdr, bdi) = (br + dr, bi + di)
            let (amr, ami) = (ar - cr, ai - ci)
            let (bmr, bmi) = (br - dr, bi - di)
            storePair(acr + bdr, aci + bdi, to: target)
            // -i (b - d)
            storeTimes(amr + bmi, ami - bmr, twiddle, to: target + stride * unit)
            storeTimes(acr - bdr, aci - bdi, twiddle + 2, to: target + 2 * stride * unit)
            storeTimes(amr - bmi, ami + bmr, twiddle + 4, to: target + 3 * stride * unit)
        }
    }
}

@inline(__always) private func pass5(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, m: Int, stride: Int, _ twiddles: UnsafePointer<Float>
) {
    let lanes = Vector.scalarCount
    let unit = 2 * lanes
    let (c1, s1) = (Vector(repeating: 0.309_016_994_374_947_4), Vector(repeating: 0.951_056_516_295_153_5))
    let (c2, s2) = (Vector(repeating: -0.809_016_994_374_947_4), Vector(repeating: 0.587_785_252_292_473_1))
    for p in 0..<m {
        let twiddle = twiddles + 8 * p
        for q in 0..<stride {
            let source = x + (q + stride * p) * unit
            let step = stride * m * unit
            let target = y + (q + stride * 5 * p) * unit
            let (ar, ai) = (load(source), load(source + lanes))
            let (br, bi) = (load(source + step), load(source + step + lanes))
            let (cr, ci) = (load(source + 2 * step), load(source + 2 * step + lanes))
            let (dr, di) = (load(source + 3 * step), load(source + 3 * step + lanes))
            let (er, ei) = (load(source + 4 * step), load(source + 4 * step + lanes))
            let (ber, bei, cdr, cdi) = (br + er, bi + ei, cr + dr, ci + di)
            let (bmr, bmi, cmr, cmi) = (br - er, bi - ei, cr - dr, ci - di)
            storePair(ar + ber + cdr, ai + bei + cdi, to: target)
            let (ur, ui) = (
                multiplyAdd(multiplyAdd(ar, ber, c1), cdr, c2), multiplyAdd(multiplyAdd(ai, bei, c1), cdi, c2)
            )
            let (vr, vi) = (
                multiplyAdd(multiplyAdd(ar, ber, c2), cdr, c1), multiplyAdd(multiplyAdd(ai, bei, c2), cdi, c1)
            )
            let (wr, wi) = (multiplyAdd(bmr * s1, cmr, s2), multiplyAdd(bmi * s1, cmi, s2))
            let (zr, zi) = (multiplyAdd(bmr * s2, -cmr, s1), multiplyAdd(bmi * s2, -cmi, s1))
            storeTimes(ur + wi, ui - wr, twiddle, to: target + stride * unit)
            storeTimes(vr + zi, vi - zr, twiddle + 2, to: target + 2 * stride * unit)
            storeTimes(vr - zi, vi + zr, twiddle + 4, to: target + 3 * stride * unit)
            storeTimes(ur - wi, ui + wr, twiddle + 6, to: target + 4 * stride * unit)
        }
    }
}
