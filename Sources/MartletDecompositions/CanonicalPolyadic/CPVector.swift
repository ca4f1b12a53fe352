import MartletLinearAlgebra

/// The factors of a CP form, or a direction to move them in, as one vector: inputs `[S, R]`, rows `[h, R]`, columns `[w, R]`
/// and outputs `[T, R]`, one after the other.
struct CPVector<Scalar: BLASScalar> {
    let channels: Int
    let height: Int
    let width: Int
    let outputs: Int
    let rank: Int
    var elements: [Scalar]

    /// The four blocks.
    enum Block: CaseIterable {
        case inputs
        case rows
        case columns
        case outputs
    }

    func range(of block: Block) -> Range<Int> {
        switch block {
        case .inputs: 0..<channels * rank
        case .rows: channels * rank..<(channels + height) * rank
        case .columns: (channels + height) * rank..<(channels + height + width) * rank
        case .outputs: (channels + height + width) * rank..<(channels + height + width + outputs) * rank
        }
    }

    /// All zero but for a block.
    func keeping(_ kept: Block) -> CPVector {
        var result = self
        for block in Block.allCases where block != kept {
            for index in range(of: block) { result.elements[index] = 0 }
        }
        return result
    }

    func converted<Other: BLASScalar>(to: Other.Type) -> CPVector<Other> {
        CPVector<Other>(
            channels: channels, height: height, width: width, outputs: outputs, rank: rank,
            elements: elements.map { Other($0) })
    }

    func with(_ elements: [Scalar]) -> CPVector {
        var result = self
        result.elements = elements
        return result
    }
}

extension CPVector<Double> {
    init(_ factors: CanonicalPolyadic) {
        channels = factors.inputs.rows
        height = factors.rows.rows
        width = factors.columns.rows
        outputs = factors.outputs.rows
        rank = factors.rank
        elements =
            factors.inputs.elements + factors.rows.elements + factors.columns.elements + factors.outputs.elements
    }

    /// As factors.
    func factors() throws -> CanonicalPolyadic {
        CanonicalPolyadic(
            outputs: try matrix(.outputs), inputs: try matrix(.inputs), rows: try matrix(.rows),
            columns: try matrix(.columns))
    }

    func matrix(_ block: Block) throws -> Matrix {
        let range = range(of: block)
        return try Matrix(rows: range.count / max(rank, 1), columns: rank, elements: Array(elements[range]))
    }
}
