// The factors that Strassen's seven products take of weights; the kernels' `StrassenSums.swift` has the formulas.

/// The floats of ``packStrassenWeights(kernel:outputs:inputs:lanes:pairs:into:)``.
func strassenWeightCount(outputs: Int, inputs: Int, lanes: Int) -> Int {
    let (outputBlocks, inputBlocks) = ((outputs + lanes - 1) / lanes, (inputs + lanes - 1) / lanes)
    return outputBlocks * inputBlocks * lanes * lanes / 4 * 7
}

/// Packs the quarters of a kernel and their sums, in the order in which ``StrassenConvolution`` reads them.
///
/// The result is `[pairs][7][input blocks][lane][2][lane]`, the pairs of output blocks of the first half and the input blocks
/// of a half; the seven are B11, B21, T4, T1, T2, T3 and B22. Channels past the last are zero.
///
/// - Parameters:
///   - kernel: `[outputs, inputs]`.
///   - lanes: The channels of a block.
///   - pairs: The pairs of output blocks of the first half to do; different ones can be done at the same time.
///   - packed: ``strassenWeightCount(outputs:inputs:taps:lanes:)`` floats, all of which the pairs together write.
func packStrassenWeights(
    kernel: UnsafePointer<Float>, outputs: Int, inputs: Int, lanes: Int, pairs: Range<Int>,
    into packed: UnsafeMutablePointer<Float>
) {
    let half = (inputs + lanes - 1) / lanes / 2 * lanes
    let secondOutput = (outputs + lanes - 1) / lanes / 2 * lanes
    let width = 2 * lanes
    let panel = half * width
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * half) { buffer in
        buffer.initialize(repeating: 0)
        guard let first = buffer.baseAddress else { return }
        let second = first + 2 * half
        /// All weights of an output channel, zero past the last.
        func read(_ output: Int, into row: UnsafeMutablePointer<Float>) {
            if output < outputs {
                row.update(from: kernel + output * inputs, count: inputs)
            } else {
                row.update(repeating: 0, count: inputs)
            }
        }
        for pair in pairs {
            for lane in 0..<width {
                read(pair * width + lane, into: first)
                read(secondOutput + pair * width + lane, into: second)
                for input in 0..<half {
                    let target = packed + pair * 7 * panel + input * width + lane
                    let (b11, b21) = (first[input], first[half + input])
                    let (b12, b22) = (second[input], second[half + input])
                    let t1 = b12 - b11
                    let t2 = b22 - t1
                    target[0] = b11
                    target[panel] = b21
                    target[2 * panel] = t2 - b21
                    target[3 * panel] = t1
                    target[4 * panel] = t2
                    target[5 * panel] = b22 - b12
                    target[6 * panel] = b22
                }
            }
        }
    }
}
