/// Packs kernels as `convolveRows` reads them for a direct convolution.
///
/// The result is `[output pair][input block][tap][channel of the block][vectors][lane]`; the last pair is a single block if the
/// number of output blocks is odd (`vectors` is 1 there). Only the places of output channels that exist are written.
///
/// - Parameters:
///   - kernel: `[outputs, inputs, taps]`.
///   - inputLanes: The channels of an input block; the last has what is left.
///   - lanes: The channels of an output block.
///   - pairs: The pairs of output blocks to do; different ones can be done at the same time.
func packDirectWeights<Element>(
    kernel: UnsafePointer<Element>, outputs: Int, inputs: Int, taps: Int, inputLanes: Int, lanes: Int,
    pairs: Range<Int>,
    into packed: UnsafeMutablePointer<Element>
) {
    let outputBlocks = (outputs + lanes - 1) / lanes
    let block = inputs * taps * lanes
    for output in pairs.lowerBound * 2 * lanes..<min(outputs, pairs.upperBound * 2 * lanes) {
        let (outputBlock, lane) = output.quotientAndRemainder(dividingBy: lanes)
        let pair = outputBlock / 2
        let vectors = min(2, outputBlocks - 2 * pair)
        let base = 2 * pair * block + (outputBlock - 2 * pair) * lanes + lane
        for input in 0..<inputs {
            let inputLane = input % inputLanes
            let first = input - inputLane
            let lanesOfBlock = min(inputLanes, inputs - first)
            for tap in 0..<taps {
                let place = first * taps + tap * lanesOfBlock + inputLane
                packed[base + place * vectors * lanes] = kernel[(output * inputs + input) * taps + tap]
            }
        }
    }
}
