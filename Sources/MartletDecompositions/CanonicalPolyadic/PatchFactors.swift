import MartletLinearAlgebra

/// The factors of inputs, rows and columns of a CP form, or a direction to move them in: `[S, R]`, `[h, R]`, `[w, R]`, one
/// after the other.
struct PatchFactors<Scalar: BLASScalar> {
    let channels: Int
    let height: Int
    let width: Int
    let rank: Int
    var elements: [Scalar]

    /// The three blocks.
    enum Block: CaseIterable {
        case inputs
        case rows
        case columns
    }

    func range(of block: Block) -> Range<Int> {
        switch block {
        case .inputs: 0..<channels * rank
        case .rows: channels * rank..<(channels + height) * rank
        case .columns: (channels + height) * rank..<(channels + height + width) * rank
        }
    }

    /// All zero but for the given block.
    func keeping(_ blocks: [Block]) -> PatchFactors {
        var result = self
        for block in Block.allCases where !blocks.contains(block) {
            for index in range(of: block) { result.elements[index] = 0 }
        }
        return result
    }

    func converted<Other: BLASScalar>(to: Other.Type) -> PatchFactors<Other> {
        PatchFactors<Other>(
            channels: channels, height: height, width: width, rank: rank, elements: elements.map { Other($0) })
    }

    func with(_ elements: [Scalar]) -> PatchFactors {
        var result = self
        result.elements = elements
        return result
    }
}

extension PatchFactors<Double> {
    init(_ factors: CanonicalPolyadic) {
        channels = factors.inputs.rows
        height = factors.rows.rows
        width = factors.columns.rows
        rank = factors.rank
        elements = factors.inputs.elements + factors.rows.elements + factors.columns.elements
    }

    /// As factors, with an output factor.
    func factors(outputs: Matrix) throws -> CanonicalPolyadic {
        CanonicalPolyadic(
            outputs: outputs, inputs: try matrix(.inputs), rows: try matrix(.rows), columns: try matrix(.columns))
    }

    func matrix(_ block: Block) throws -> Matrix {
        let range = range(of: block)
        return try Matrix(rows: range.count / max(rank, 1), columns: rank, elements: Array(elements[range]))
    }
}
