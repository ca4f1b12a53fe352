import MartletLinearAlgebra
import MartletParallelism

/// The normal equations of each factor of a CP form, the others as they are, had the second moment been the identity: what
/// curvature there is, about, in whitened coordinates.
struct CPBlockSystems {
    private let blocks: [CPVector<Double>.Block]
    /// The Cholesky factors of the systems, `[R, R]`, one a block.
    private let roots: [Matrix]
    private let pool: ThreadPool

    /// - Parameters:
    ///   - blocks: the factors that move.
    ///   - ridge: added to each system, as a part of its mean diagonal.
    init(_ vector: CPVector<Double>, blocks: [CPVector<Double>.Block], ridge: Double, pool: ThreadPool) throws {
        let factors = try vector.factors()
        let output = factors.outputs.gram(transposed: true, pool: pool)
        let input = factors.inputs.gram(transposed: true, pool: pool)
        let row = factors.rows.gram(transposed: true)
        let column = factors.columns.gram(transposed: true)
        self.blocks = blocks
        roots = try blocks.map { block in
            let system =
                switch block {
                case .inputs: output.timesElements(of: row).timesElements(of: column)
                case .rows: output.timesElements(of: input).timesElements(of: column)
                case .columns: output.timesElements(of: input).timesElements(of: row)
                case .outputs: input.timesElements(of: row).timesElements(of: column)
                }
            let ridge = ridge * system.trace / Double(system.rows) + .leastNormalMagnitude
            return try CholeskyDecomposition(system.addingToDiagonal(ridge)).factor
        }
        self.pool = pool
    }

    /// Each block of a residual, laid out as `vector` is, solved with its system; the others as they are.
    func solved(_ residual: [Double], _ vector: CPVector<Double>) -> [Double] {
        var result = residual
        let rank = vector.rank
        for (block, root) in zip(blocks, roots) {
            let range = vector.range(of: block)
            let rows = range.count / rank
            root.elements.withUnsafeBufferPointer { root in
                result.withUnsafeMutableBufferPointer { result in
                    guard let root = root.baseAddress, let base = result.baseAddress else { return }
                    for transposed in [true, false] {
                        BLAS.trsm(
                            pool: pool, side: .right, triangle: .lower, transposeA: transposed, m: rows, n: rank,
                            a: root, lda: rank, b: base + range.lowerBound, ldb: rank)
                    }
                }
            }
        }
        return result
    }
}
