import MartletTensors

/// A matrix product of bytes with constant weights that makes floats.
///
/// The sums are exact. Of one row, the time is that of reading the weights, which take a quarter of the memory of floats (half
/// with the baseline's kernels).
struct QuantizedMatrixProduct: Step {
    /// `[rows][terms]`.
    let x: TensorView
    /// `[rows][outputs]`.
    let y: UnsafeMutablePointer<Float>
    let quantization: ByteQuantization
    /// Fours of terms; the last may have some to spare.
    let quads: Int
    let outputs: Int
    /// Outputs up to a whole block.
    let channels: Int
    /// What `multiplyQuantizedRow` reads.
    let weights: PackedQuads
    /// `[channels]`, as the two after it: the effect of the zero point.
    let sums: UnsafePointer<Int32>
    let factors: UnsafePointer<Float>
    let addends: UnsafePointer<Float>
    let kernels: QuantizedKernelSet

    var algorithm: String { "8-bit" }

    /// The rows as the kernels want them, and for each thread a pair of vectors of results.
    var sharedBytes: Int { x.shape[0] * quads * 4 }
    var scratchBytes: Int { 2 * kernels.lanes * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        let (step, kernels) = (self, kernels)
        let rows = context.shared.assumingMemoryBound(to: UInt8.self)
        writeRows(to: rows)
        let lanes = kernels.lanes
        let vectors = channels / lanes
        context.pool.forEach((outputs + 2 * lanes - 1) / (2 * lanes)) { pair, worker in
            let vector = 2 * pair
            let first = vector * lanes
            let results = context.floats(worker: worker)
            let count = min(2 * lanes, step.outputs - first)
            for row in 0..<step.x.shape[0] {
                kernels.multiplyQuantizedRow(
                    input: rows + row * step.quads * 4, quads: step.quads,
                    weights: step.weights.weights(ofPair: pair), vectors: min(2, vectors - vector),
                    excess: step.weights.excess(ofPair: pair), sums: step.sums + first, factors: step.factors + first,
                    addends: step.addends + first, output: results)
                (step.y + row * step.outputs + first).update(from: results, count: count)
            }
        }
    }

    /// Unsigned bytes with zeros behind each row.
    private func writeRows(to rows: UnsafeMutablePointer<UInt8>) {
        let terms = x.shape[1]
        let bytes = x.base.assumingMemoryBound(to: UInt8.self)
        let flip: UInt8 = quantization.isSigned ? 0x80 : 0
        for row in 0..<x.shape[0] {
            let target = rows + row * quads * 4
            for term in 0..<terms { target[term] = bytes[row * terms + term] ^ flip }
            (target + terms).update(repeating: 0, count: quads * 4 - terms)
        }
    }
}
