import CMartletIntrinsics

/// Products of a row of bytes with one or two vectors of outputs, as floats; c stands for `quantizedLanes()`.
///
///     output[v][o] = factors[v][o] * (sums[v][o] + sum over q, k of weights[q][v][o][k] * input[q][k]) + addends[v][o]
///
/// - Parameters:
///   - input: `[quads][4]`.
///   - weights: What `convolveQuantizedRows` reads, with what is too large behind it.
///   - vectors: Output vectors: 1 or 2.
///   - excess: As `convolveQuantizedRows` reads it.
///   - sums: `[vectors][c]`, as are factors, addends and output.
public func multiplyQuantizedRow(
    input: UnsafePointer<UInt8>, quads: Int, weights: UnsafeRawPointer, vectors: Int, excess: UnsafePointer<Int>?,
    sums: UnsafePointer<Int32>, factors: UnsafePointer<Float>, addends: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>
) {
    let lanes = Integers.scalarCount
    let size = 4 * lanes * quantizedWeightBytes()
    // All weights are read once: what the next vectors need is asked for ahead.
    let ahead = 4096
    var place = weights
    var sum0 = martlet_load_integers(sums)
    if vectors == 2 {
        var sum1 = martlet_load_integers(sums + lanes)
        var quad = 0
        while quad < quads {
            let four = martlet_broadcast_quad(input + 4 * quad)
            sum0 = addQuads(sum0, four, place)
            sum1 = addQuads(sum1, four, place + size)
            martlet_prefetch(place + ahead)
            martlet_prefetch(place + ahead + size)
            place += 2 * size
            quad += 1
        }
        sum0 = addExcess(sum0, input, excess, &place)
        sum1 = addExcess(sum1, input, excess.map { $0 + 1 + $0[0] }, &place)
        storeFloats(sum1, factors + lanes, addends + lanes, output + lanes)
    } else {
        var quad = 0
        while quad < quads {
            sum0 = addQuads(sum0, martlet_broadcast_quad(input + 4 * quad), place)
            place += size
            quad += 1
        }
        sum0 = addExcess(sum0, input, excess, &place)
    }
    storeFloats(sum0, factors, addends, output)
}

/// `sum` plus the products of four bytes, those of `four`, with the weights of each output.
@inline(__always)
private func addQuads(_ sum: Integers, _ four: Integers, _ weights: UnsafeRawPointer) -> Integers {
    #if MARTLET_VNNI || MARTLET_AVX512 || MARTLET_AVX2
        martlet_add_quads(sum, four, martlet_load_integers(weights))
    #else
        martlet_add_pairs(
            martlet_add_pairs(sum, martlet_even_bytes(four), martlet_load_integers(weights)),
            martlet_odd_bytes(four), martlet_load_integers(weights + 4 * Integers.scalarCount))
    #endif
}

/// `sum` plus what the weights of a vector have beyond the limit; `weights` moves behind them.
@inline(__always)
private func addExcess(
    _ sum: Integers, _ input: UnsafePointer<UInt8>, _ excess: UnsafePointer<Int>?, _ weights: inout UnsafeRawPointer
) -> Integers {
    guard let excess else { return sum }
    var sum = sum
    var place = 1
    while place <= excess[0] {
        sum = addQuads(sum, martlet_broadcast_quad(input + excess[place]), weights)
        weights += 4 * Integers.scalarCount
        place += 1
    }
    return sum
}

@inline(__always)
private func storeFloats(
    _ sum: Integers, _ factors: UnsafePointer<Float>, _ addends: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>
) {
    martlet_store_reals(martlet_to_reals(sum) * martlet_load_reals(factors) + martlet_load_reals(addends), output)
}
