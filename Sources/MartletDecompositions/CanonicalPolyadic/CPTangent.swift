import MartletLinearAlgebra
import MartletParallelism

/// The linearised map from the patches' factors to the kernel, with its adjoint, under a second moment.
///
/// Near factors `(A, B, C, D)` of outputs, inputs, rows and columns a movement `d` changes the patches by `dB * C * D + B * dC
/// * D + B * C * dD` column by column, `dP` `[S h w, R]`, and the kernel by `J d = A dP^T`. The Gauss-Newton operator is
/// `J^T Sigma J`: three products, `T D (D + 2 R)` multiply-adds in all. Restricted to one block, `J` is exact, and this is
/// the matrix of that block's normal equations (paper, B.4), which is never formed. The outputs do not move: their part of every
/// direction is taken as zero, and that of every result is.
struct CPTangent<Scalar: BLASScalar> {
    /// Where it is linearised.
    let point: CPVector<Scalar>
    /// `C * D` `[h w, R]`.
    let taps: [Scalar]
    let sigma: [Scalar]
    let pool: ThreadPool

    private var tapCount: Int { point.height * point.width }
    private var order: Int { point.channels * tapCount }

    init(at point: CPVector<Scalar>, sigma: [Scalar], pool: ThreadPool) {
        self.point = point
        self.sigma = sigma
        self.pool = pool
        taps = Self.tapProducts(
            point.elements[point.range(of: .rows)], point.elements[point.range(of: .columns)], point)
    }

    private static func tapProducts(
        _ rows: ArraySlice<Scalar>, _ columns: ArraySlice<Scalar>, _ layout: CPVector<Scalar>
    ) -> [Scalar] {
        let rank = layout.rank
        var result = [Scalar](repeating: 0, count: layout.height * layout.width * rank)
        rows.withUnsafeBufferPointer { rows in
            columns.withUnsafeBufferPointer { columns in
                result.withUnsafeMutableBufferPointer { result in
                    for i in 0..<layout.height {
                        for j in 0..<layout.width {
                            for r in 0..<rank {
                                result[(i * layout.width + j) * rank + r] = rows[i * rank + r] * columns[j * rank + r]
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// `J^T Sigma J d`.
    func applied(to direction: CPVector<Scalar>) -> CPVector<Scalar> {
        let rank = point.rank
        var patches = [Scalar](repeating: 0, count: order * rank)
        // dB * (C * D) + B * (dC * D + C * dD).
        let (rows, columns) = (point.range(of: .rows), point.range(of: .columns))
        var tapChange = Self.tapProducts(direction.elements[rows], point.elements[columns], point)
        let other = Self.tapProducts(point.elements[rows], direction.elements[columns], point)
        for index in 0..<tapChange.count { tapChange[index] += other[index] }
        withPointers(direction.elements, taps, &patches) { inputs, taps, patches in
            KhatriRao.addExpanded(
                inputs: inputs, taps: taps, channels: point.channels, tapCount: tapCount, rank: rank, into: patches,
                pool: pool)
        }
        withPointers(point.elements, tapChange, &patches) { inputs, taps, patches in
            KhatriRao.addExpanded(
                inputs: inputs, taps: taps, channels: point.channels, tapCount: tapCount, rank: rank, into: patches,
                pool: pool)
        }
        let (outputCount, outputStart) = (point.outputs, point.range(of: .outputs).lowerBound)
        var kernel = [Scalar](repeating: 0, count: outputCount * order)
        withPointers(point.elements, patches, &kernel) { point, patches, kernel in
            Scalar.gemm(
                pool: pool, transposeA: false, transposeB: true, m: outputCount, n: order, k: rank,
                a: point + outputStart, lda: rank, b: patches, ldb: rank, beta: 0, c: kernel, ldc: order)
        }
        var weighted = [Scalar](repeating: 0, count: outputCount * order)
        withPointers(kernel, sigma, &weighted) { kernel, sigma, weighted in
            Scalar.gemm(
                pool: pool, transposeA: false, transposeB: false, m: outputCount, n: order, k: order, a: kernel,
                lda: order, b: sigma, ldb: order, beta: 0, c: weighted, ldc: order)
        }
        for index in patches.indices { patches[index] = 0 }
        return gradient(weighted, adding: &patches)
    }

    /// `J^T Y` for a `Y` `[T, S h w]`: how `<Y, V>` changes with each number of the factors.
    func gradient(_ weighted: [Scalar]) -> CPVector<Scalar> {
        var image = [Scalar](repeating: 0, count: order * point.rank)
        return gradient(weighted, adding: &image)
    }

    /// The same of `<Y, V> + <X, P>` for an `X` `[S h w, R]`, which is overwritten.
    func gradient(_ weighted: [Scalar], adding image: inout [Scalar]) -> CPVector<Scalar> {
        let (rank, width) = (point.rank, point.width)
        let (outputCount, outputStart) = (point.outputs, point.range(of: .outputs).lowerBound)
        withPointers(weighted, point.elements, &image) { weighted, point, image in
            Scalar.gemm(
                pool: pool, transposeA: true, transposeB: false, m: order, n: rank, k: outputCount, a: weighted,
                lda: order, b: point + outputStart, ldb: rank, beta: 1, c: image, ldc: rank)
        }
        var result = point
        for index in outputStart..<result.elements.count { result.elements[index] = 0 }
        withPointers(image, taps, &result.elements) { image, taps, result in
            KhatriRao.summedOverTaps(
                image, taps: taps, channels: point.channels, tapCount: tapCount, rank: rank, into: result, pool: pool)
        }
        var byTap = [Scalar](repeating: 0, count: tapCount * rank)
        withPointers(image, point.elements, &byTap) { image, inputs, byTap in
            KhatriRao.summedOverInputs(
                image, inputs: inputs, channels: point.channels, tapCount: tapCount, rank: rank, into: byTap, pool: pool
            )
        }
        let (rowStart, columnStart) = (point.range(of: .rows).lowerBound, point.range(of: .columns).lowerBound)
        withPointers(byTap, point.elements, &result.elements) { byTap, point_, result in
            for index in rowStart..<outputStart { result[index] = 0 }
            for tap in 0..<tapCount {
                let (i, j) = (tap / width, tap % width)
                for r in 0..<rank {
                    let value = byTap[tap * rank + r]
                    result[rowStart + i * rank + r] += value * point_[columnStart + j * rank + r]
                    result[columnStart + j * rank + r] += value * point_[rowStart + i * rank + r]
                }
            }
        }
        return result
    }
}

/// Lends the elements of two arrays to read and of a third to write. Nothing happens for an empty one.
func withPointers<Scalar>(
    _ first: [Scalar], _ second: [Scalar], _ target: inout [Scalar],
    _ body: (UnsafePointer<Scalar>, UnsafePointer<Scalar>, UnsafeMutablePointer<Scalar>) -> Void
) {
    first.withUnsafeBufferPointer { first in
        second.withUnsafeBufferPointer { second in
            target.withUnsafeMutableBufferPointer { target in
                if let first = first.baseAddress, let second = second.baseAddress, let target = target.baseAddress {
                    body(first, second, target)
                }
            }
        }
    }
}
