import MartletLinearAlgebra
import MartletParallelism

/// A kernel as a sum of rank-one terms: `V[t, s, i, j] = sum_r A[t, r] B[s, r] C[i, r] D[j, r]` (paper, 3.1; Lebedev et
/// al. 2015).
///
/// As a network: a 1x1 convolution from `S` to `R` channels; a depthwise one of `h x 1` with the vertical stride, padding
/// and dilation; a depthwise one of `1 x w` with the horizontal ones; and a 1x1 convolution from `R` to `T` with the bias. A
/// window of one tap needs no depthwise layer, and its factor goes into the other.
public struct CanonicalPolyadic: Factorization, Equatable {
    /// `A` `[T, R]`.
    public let outputs: Matrix
    /// `B` `[S, R]`.
    public let inputs: Matrix
    /// `C` `[h, R]`.
    public let rows: Matrix
    /// `D` `[w, R]`.
    public let columns: Matrix

    init(outputs: Matrix, inputs: Matrix, rows: Matrix, columns: Matrix) {
        self.outputs = outputs
        self.inputs = inputs
        self.rows = rows
        self.columns = columns
    }

    /// `R`.
    public var rank: Int { outputs.columns }
    public var ranks: [Int] { [rank] }
    /// `h w`.
    var taps: Int { rows.rows * columns.rows }

    public var layers: [FactorLayer] {
        func pointwise(_ name: String, _ matrix: Matrix) -> FactorLayer {
            let kernel = ConvolutionKernel(matrix: matrix, inputs: matrix.columns, height: 1, width: 1)
            return FactorLayer(name, kernel, window: .point)
        }
        let (height, width) = (rows.rows, columns.rows)
        func depthwise(_ name: String, _ factor: Matrix, _ window: FactorLayer.Window) -> FactorLayer {
            let isVertical = height > 1 && window != .columns
            let kernel = ConvolutionKernel(
                matrix: factor.transposed, inputs: 1, height: isVertical ? height : 1, width: isVertical ? 1 : width)
            return FactorLayer(name, kernel, window: window, isDepthwise: true)
        }
        // Where one of the two has a single tap, its numbers scale the channels before.
        var first = inputs.transposed
        if height == 1 { first = first.scalingRows(by: rows.elements) }
        if width == 1 { first = first.scalingRows(by: columns.elements) }
        var middle: [FactorLayer] = []
        if height > 1 { middle.append(depthwise("row_factor", rows, width > 1 ? .rows : .full)) }
        if width > 1 { middle.append(depthwise("column_factor", columns, height > 1 ? .columns : .full)) }
        let before = ConvolutionKernel(matrix: first, inputs: inputs.rows, height: 1, width: 1)
        // Without a layer in between, the first one moves as the original did.
        let window = FactorLayer.Window.point
        let input = FactorLayer("input_factor", before, window: middle.isEmpty ? .full : window)
        return [input] + middle + [pointwise("output_factor", outputs)]
    }

    public func reconstructed(pool: ThreadPool) throws -> ConvolutionKernel {
        let patches = KhatriRao.expanded(inputs: inputs, taps: KhatriRao.taps(rows: rows, columns: columns), pool: pool)
        return ConvolutionKernel(
            matrix: try outputs.multiplied(by: patches, otherTransposed: true, pool: pool), inputs: inputs.rows,
            height: rows.rows, width: columns.rows)
    }

    public func mixingOutputs(pool: ThreadPool, _ multiply: (Matrix) throws -> Matrix) throws -> CanonicalPolyadic {
        CanonicalPolyadic(outputs: try multiply(outputs), inputs: inputs, rows: rows, columns: columns).balanced()
    }

    /// The sum of both, its terms followed by those of another.
    func appending(_ other: CanonicalPolyadic) -> CanonicalPolyadic {
        CanonicalPolyadic(
            outputs: outputs.appendingColumns(of: other.outputs), inputs: inputs.appendingColumns(of: other.inputs),
            rows: rows.appendingColumns(of: other.rows), columns: columns.appendingColumns(of: other.columns))
    }

    /// The Frobenius norm of each rank-one term.
    public var termNorms: [Double] {
        let norms = [outputs, inputs, rows, columns].map(\.columnNorms)
        return (0..<rank).map { term in norms.reduce(1) { $0 * $1[term] } }
    }

    /// The squared norms of the terms, added up, over the squared norm of `V`: near 1 for terms that do not overlap, large
    /// where big terms cancel each other ("degeneracy"). Large numbers that cancel do not survive INT8.
    /// - Throws: `LinearAlgebraError`.
    public func termEnergyRatio(pool: ThreadPool) throws -> Double {
        let terms = termNorms.reduce(0) { $0 + $1 * $1 }
        return ratio(terms, of: try reconstructed(pool: pool).matrix.squaredNorm)
    }

    /// The same terms, each with its norm shared out evenly among its four vectors: no layer has to hold numbers much larger
    /// than the others.
    func balanced() -> CanonicalPolyadic {
        let factors = [outputs, inputs, rows, columns]
        let norms = factors.map(\.columnNorms)
        let targets = termNorms.map { $0.squareRoot().squareRoot() }
        let scaled = zip(factors, norms).map { factor, norms in
            factor.scalingColumns(by: zip(targets, norms).map { ratio($0, of: $1) })
        }
        return CanonicalPolyadic(outputs: scaled[0], inputs: scaled[1], rows: scaled[2], columns: scaled[3])
    }

    /// The same terms with the vectors of inputs, rows and columns of norm 1, and the outputs' of the term's.
    func withUnitPatches() -> CanonicalPolyadic {
        let norms = [inputs, rows, columns].map(\.columnNorms)
        let inverse = norms.map { $0.map { $0 > 0 ? 1 / $0 : 0 } }
        let whole = (0..<rank).map { term in norms.reduce(1) { $0 * $1[term] } }
        return CanonicalPolyadic(
            outputs: outputs.scalingColumns(by: whole), inputs: inputs.scalingColumns(by: inverse[0]),
            rows: rows.scalingColumns(by: inverse[1]), columns: columns.scalingColumns(by: inverse[2]))
    }
}
