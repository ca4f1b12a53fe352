import MartletKernelsBaseline

/// Elements that only move: reshaping, slices, parts, joining, padding, transposition, repetition.
///
/// Forward, each piece is copied from a place in an input to a place in an output; backward, its gradient is added the other
/// way.
final class MoveStep: DifferentiableStep {
    /// Elements that move together: `extents` of them, from a place in an input to one in an output.
    struct Piece {
        var input: Int
        var output: Int
        var extents: [Int]
        var from: Int
        var fromStrides: [Int]
        var to: Int
        var toStrides: [Int]
    }

    struct Input {
        var value: Operand
        var gradient: GradientTarget?
    }

    struct Output {
        var value: Operand
        var gradient: UnsafeMutablePointer<Float>?
    }

    private let inputs: [Input]
    private let outputs: [Output]
    private let pieces: [(piece: Piece, rows: StridedRows)]
    /// What outputs hold where no piece goes, if there is such a place.
    private let filling: Float?

    init(inputs: [Input], outputs: [Output], pieces: [Piece], filling: Float? = nil) {
        self.inputs = inputs
        self.outputs = outputs
        self.pieces = pieces.map {
            ($0, StridedRows(extents: $0.extents, strides: [$0.fromStrides, $0.toStrides]))
        }
        self.filling = filling
    }

    func forward(_ context: TrainingContext) {
        if let filling {
            for output in outputs { fill(output.value.base, count: output.value.count, with: filling) }
        }
        context.pool.forEach(pieces.count) { index in
            let (piece, rows) = pieces[index]
            let source = inputs[piece.input].value.base + piece.from
            let target = outputs[piece.output].value.base + piece.to
            let (count, from, to) = (rows.count, rows.step(0), rows.step(1))
            rows.forEach { offsets in
                let (source, target) = (source + offsets[0], target + offsets[1])
                if from == 1, to == 1 {
                    target.update(from: source, count: count)
                } else {
                    for i in 0..<count { target[i * to] = source[i * from] }
                }
            }
        }
    }

    func backward(_ context: TrainingContext) {
        for input in inputs { input.gradient?.prepare(at: 0, count: input.value.count) }
        for (piece, rows) in pieces {
            guard let gradient = outputs[piece.output].gradient, let target = inputs[piece.input].gradient else {
                continue
            }
            let (source, result) = (gradient + piece.to, target.base + piece.from)
            let (count, from, to) = (rows.count, rows.step(0), rows.step(1))
            rows.forEach { offsets in
                let (source, result) = (source + offsets[1], result + offsets[0])
                if from == 1, to == 1 {
                    addElements(source, to: result, count: count)
                } else {
                    for i in 0..<count { result[i * from] += source[i * to] }
                }
            }
        }
    }
}
