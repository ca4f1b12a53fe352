import MartletLinearAlgebra
import MartletParallelism

/// Column-wise products of CP factors, and sums over them.
///
/// The patches that the terms of a CP form look for are the columns of `B` `[S h w, R]`, `B[(s, i, j), r] = inputs[s, r]
/// rows[i, r] columns[j, r]`, indexed as kernels and second moments are. With the output factor `A` `[T, R]` the kernel
/// is `V = A B^T`, so what alternating methods need of large products are plain ones with `B`, and the rest happens here in
/// `S h w R` multiply-adds.
enum KhatriRao {
    /// `[h w, R]`: the row factor `[h, R]` times the column factor `[w, R]`.
    static func taps(rows: Matrix, columns: Matrix) -> Matrix {
        let rank = rows.columns
        let (height, width) = (rows.rows, columns.rows)
        var result = Matrix(rows: height * width, columns: rank)
        withPointers(rows, columns, &result) { rows, columns, result in
            for i in 0..<height {
                for j in 0..<width {
                    let target = result + (i * width + j) * rank
                    for r in 0..<rank { target[r] = rows[i * rank + r] * columns[j * rank + r] }
                }
            }
        }
        return result
    }

    /// `B` `[S h w, R]` from the input factor `[S, R]` and ``taps(rows:columns:)``.
    static func expanded(inputs: Matrix, taps: Matrix, pool: ThreadPool) -> Matrix {
        var result = Matrix(rows: inputs.rows * taps.rows, columns: inputs.columns)
        withPointers(inputs, taps, &result) { inputs_, taps_, result in
            addExpanded(
                inputs: inputs_, taps: taps_, channels: inputs.rows, tapCount: taps.rows, rank: inputs.columns,
                into: result, pool: pool)
        }
        return result
    }

    /// Adds `inputs[s, r] taps[a, r]` to `target` `[S, h w, R]`.
    static func addExpanded<Scalar: BLASScalar>(
        inputs: UnsafePointer<Scalar>, taps: UnsafePointer<Scalar>, channels: Int, tapCount: Int, rank: Int,
        into target: UnsafeMutablePointer<Scalar>, pool: ThreadPool
    ) {
        forEachGroup(of: channels, pool) { s in
            let input = inputs + s * rank
            for a in 0..<tapCount {
                let (tap, row) = (taps + a * rank, target + (s * tapCount + a) * rank)
                for r in 0..<rank { row[r] += input[r] * tap[r] }
            }
        }
    }

    /// `[S, R]`: `sum_a Z[s, a, r] taps[a, r]` of a `Z` `[S, h w, R]`.
    static func summedOverTaps<Scalar: BLASScalar>(
        _ z: UnsafePointer<Scalar>, taps: UnsafePointer<Scalar>, channels: Int, tapCount: Int, rank: Int,
        into target: UnsafeMutablePointer<Scalar>, pool: ThreadPool
    ) {
        forEachGroup(of: channels, pool) { s in
            let row = target + s * rank
            for r in 0..<rank { row[r] = 0 }
            for a in 0..<tapCount {
                let (tap, source) = (taps + a * rank, z + (s * tapCount + a) * rank)
                for r in 0..<rank { row[r] += source[r] * tap[r] }
            }
        }
    }

    /// `[h w, R]`: `sum_s Z[s, a, r] inputs[s, r]` of a `Z` `[S, h w, R]`.
    static func summedOverInputs<Scalar: BLASScalar>(
        _ z: UnsafePointer<Scalar>, inputs: UnsafePointer<Scalar>, channels: Int, tapCount: Int, rank: Int,
        into target: UnsafeMutablePointer<Scalar>, pool: ThreadPool
    ) {
        // A tap's sum is one thread's, in the order of the channels.
        pool.forEach(tapCount) { a in
            let row = target + a * rank
            for r in 0..<rank { row[r] = 0 }
            for s in 0..<channels {
                let (input, source) = (inputs + s * rank, z + (s * tapCount + a) * rank)
                for r in 0..<rank { row[r] += source[r] * input[r] }
            }
        }
    }

    /// `[h, R]`: `sum_j Z[i, j, r] columns[j, r]` of a `Z` `[h, w, R]`; with `overRows`, `[w, R]`: `sum_i Z[i, j, r] rows[i, r]`.
    static func summedOver(
        _ other: Matrix, overRows: Bool, of z: Matrix
    ) -> Matrix {
        let rank = other.columns
        let count = z.rows / other.rows
        var result = Matrix(rows: count, columns: rank)
        withPointers(z, other, &result) { z, other_, result in
            for kept in 0..<count {
                for summed in 0..<other.rows {
                    let tap = overRows ? summed * count + kept : kept * other.rows + summed
                    let (source, factor) = (z + tap * rank, other_ + summed * rank)
                    for r in 0..<rank { result[kept * rank + r] += source[r] * factor[r] }
                }
            }
        }
        return result
    }

    private static func forEachGroup(of channels: Int, _ pool: ThreadPool, _ body: (Int) -> Void) {
        let group = 16
        pool.forEach((channels + group - 1) / group) { index in
            for s in index * group..<min((index + 1) * group, channels) { body(s) }
        }
    }
}
