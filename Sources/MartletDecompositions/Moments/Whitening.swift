import MartletLinearAlgebra
import MartletParallelism

/// Coordinates for patches in which a second moment is about the identity.
///
/// A moment is about a product over channels, rows and columns of the window (``SeparatedMoment``): `Sigma ~ F F^T` with
/// `F = L x L_h x L_w`, the product of the three roots. A patch `u` becomes `F^-1 u` with the moment `F^-1 Sigma F^-T`, and a
/// kernel `W` becomes `W F`; the error of an approximation is the same in both. Factors keep their form, `B` being `L^-T B'`
/// and so on, so a rank-one term is one in both. What is gained: alternating methods in the Frobenius norm come near
/// already, and the normal equations of each factor are near those of the Frobenius norm.
struct Whitening {
    /// `L` `[S, S]`, `L_h` `[h, h]`, `L_w` `[w, w]`: lower triangular.
    let channelRoot: Matrix
    let rowRoot: Matrix
    let columnRoot: Matrix
    private let pool: ThreadPool

    init(_ secondMoment: SecondMoment, kernel: ConvolutionKernel, ridge: Double, pool: ThreadPool) throws {
        let separation = try SeparatedMoment(
            secondMoment, channels: kernel.inputs, taps: kernel.taps, ridge: ridge, pool: pool)
        self.channelRoot = separation.root
        let (height, width) = (kernel.height, kernel.width)
        var rows = Matrix(rows: height, columns: height)
        var columns = Matrix(rows: width, columns: width)
        for i in 0..<height {
            for j in 0..<width {
                let tap = (i * width + j) * kernel.taps
                for other in 0..<height { rows[i, other] += separation.tapMoment[tap + other * width + j] }
                for other in 0..<width { columns[j, other] += separation.tapMoment[tap + i * width + other] }
            }
        }
        // Each is the moment times the trace over the other: one of the two is to be a correlation.
        let scale = columns.trace / Double(width)
        func root(_ moment: Matrix, over divisor: Double) throws -> Matrix {
            let mean = moment.trace / Double(moment.rows)
            let scaled = moment.scalingRows(by: [Double](repeating: 1 / divisor, count: moment.rows))
            return try CholeskyDecomposition(scaled.addingToDiagonal(1e-6 * mean / divisor)).factor
        }
        self.rowRoot = try root(rows, over: Double(width))
        self.columnRoot = try root(columns, over: scale)
        self.pool = pool
    }

    /// `F^-1 Sigma F^-T` of `Sigma + ridge I`.
    func whitened(_ sigma: Matrix, ridge: Double) throws -> Matrix {
        // Symmetric, so one side, the transpose, and the same side again.
        var result = try solvedFromLeft(sigma.addingToDiagonal(ridge)).transposed
        result = try solvedFromLeft(result)
        let order = result.rows
        result.withMutableElements { elements in
            if let base = elements.baseAddress { BLAS.mirrorLowerTriangle(n: order, c: base, ldc: order) }
        }
        return result
    }

    /// `F^-1 X` of an `X` `[S h w, n]`.
    private func solvedFromLeft(_ matrix: Matrix) throws -> Matrix {
        let (channels, columns) = (channelRoot.rows, matrix.columns)
        let taps = matrix.rows / channels
        // `[S, h w n]` as it stands.
        var folded = try Matrix(rows: channels, columns: taps * columns, elements: matrix.elements)
        withPointers(channelRoot, &folded) { root, folded in
            BLAS.trsm(
                pool: pool, side: .left, triangle: .lower, m: channels, n: taps * columns, a: root, lda: channels,
                b: folded, ldb: taps * columns)
        }
        let root = tapRoot
        withPointers(root, &folded) { root, folded in
            pool.forEach(channels) { channel in
                BLAS.trsm(
                    side: .left, triangle: .lower, m: taps, n: columns, a: root, lda: taps,
                    b: folded + channel * taps * columns, ldb: columns)
            }
        }
        return try Matrix(rows: matrix.rows, columns: columns, elements: folded.elements)
    }

    /// `W F`.
    func whitened(_ kernel: ConvolutionKernel) throws -> ConvolutionKernel {
        let (outputs, channels, taps) = (kernel.outputs, kernel.inputs, kernel.taps)
        // `[T S, h w]` as it stands.
        let byTaps = try Matrix(rows: outputs * channels, columns: taps, elements: kernel.elements)
            .multiplied(by: tapRoot, pool: pool)
        let tapMajor = TapOrder.tapMajor(
            try Matrix(rows: outputs, columns: channels * taps, elements: byTaps.elements), taps: taps, pool: pool)
        let byChannels = try Matrix(rows: outputs * taps, columns: channels, elements: tapMajor.elements)
            .multiplied(by: channelRoot, pool: pool)
        let result = try Matrix(rows: outputs, columns: channels * taps, elements: byChannels.elements)
        return ConvolutionKernel(
            matrix: TapOrder.interleaved(result, taps: taps, pool: pool), inputs: channels, height: kernel.height,
            width: kernel.width)
    }

    /// `L_h x L_w` `[h w, h w]`, lower triangular too.
    private var tapRoot: Matrix {
        let (height, width) = (rowRoot.rows, columnRoot.rows)
        var result = Matrix(rows: height * width, columns: height * width)
        for i in 0..<height {
            for k in 0...i {
                for j in 0..<width {
                    for l in 0...j { result[i * width + j, k * width + l] = rowRoot[i, k] * columnRoot[j, l] }
                }
            }
        }
        return result
    }

    /// Factors of a whitened kernel as factors of the kernel.
    func restored(_ factors: CanonicalPolyadic) throws -> CanonicalPolyadic {
        func solved(_ root: Matrix, _ factor: Matrix) throws -> Matrix {
            try root.solvingTriangular(.lower, transposed: true, right: factor, pool: pool)
        }
        return CanonicalPolyadic(
            outputs: factors.outputs, inputs: try solved(channelRoot, factors.inputs),
            rows: try solved(rowRoot, factors.rows), columns: try solved(columnRoot, factors.columns))
    }

    /// Factors of a kernel as factors of the whitened one.
    func whitened(_ factors: CanonicalPolyadic) throws -> CanonicalPolyadic {
        func product(_ root: Matrix, _ factor: Matrix) throws -> Matrix {
            try root.multiplied(by: factor, transposed: true, pool: pool)
        }
        return CanonicalPolyadic(
            outputs: factors.outputs, inputs: try product(channelRoot, factors.inputs),
            rows: try product(rowRoot, factors.rows), columns: try product(columnRoot, factors.columns))
    }
}
