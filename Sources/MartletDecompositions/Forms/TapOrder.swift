import MartletLinearAlgebra
import MartletParallelism

/// The two orders of a patch, and of whatever is indexed like one.
///
/// Kernels and second moments come interleaved, `[.., S, h w]`: a channel's taps lie together. The algorithms want each
/// tap's channels together, `[.., h w, S]`, "tap-major": then a product over channels is one gemm a tap.
enum TapOrder {
    /// From `[rows, channels, taps]` to `[rows, taps, channels]`.
    static func deinterleave<Scalar: BLASScalar>(
        _ source: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>, rows: Int, channels: Int, taps: Int,
        pool: ThreadPool
    ) {
        forEachRow(rows, pool) { row in
            let from = source + row * channels * taps
            let to = target + row * channels * taps
            for tap in 0..<taps {
                for channel in 0..<channels { to[tap * channels + channel] = from[channel * taps + tap] }
            }
        }
    }

    /// From `[rows, taps, channels]` to `[rows, channels, taps]`.
    static func interleave<Scalar: BLASScalar>(
        _ source: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>, rows: Int, channels: Int, taps: Int,
        pool: ThreadPool
    ) {
        forEachRow(rows, pool) { row in
            let from = source + row * channels * taps
            let to = target + row * channels * taps
            for tap in 0..<taps {
                for channel in 0..<channels { to[channel * taps + tap] = from[tap * channels + channel] }
            }
        }
    }

    /// `matrix` `[rows, S h w]` in tap-major order.
    static func tapMajor(_ matrix: Matrix, taps: Int, pool: ThreadPool) -> Matrix {
        var result = Matrix(rows: matrix.rows, columns: matrix.columns)
        withPointers(matrix, &result) { source, target in
            deinterleave(
                source, into: target, rows: matrix.rows, channels: matrix.columns / taps, taps: taps, pool: pool)
        }
        return result
    }

    /// `matrix` `[rows, h w S]`, tap-major, in the order of a kernel.
    static func interleaved(_ matrix: Matrix, taps: Int, pool: ThreadPool) -> Matrix {
        var result = Matrix(rows: matrix.rows, columns: matrix.columns)
        withPointers(matrix, &result) { source, target in
            interleave(source, into: target, rows: matrix.rows, channels: matrix.columns / taps, taps: taps, pool: pool)
        }
        return result
    }

    private static func forEachRow(_ rows: Int, _ pool: ThreadPool, _ body: (Int) -> Void) {
        let group = 16
        pool.forEach((rows + group - 1) / group) { index in
            for row in index * group..<min((index + 1) * group, rows) { body(row) }
        }
    }
}

/// Lends the elements of one matrix to read and of another to write. Nothing happens for an empty one.
func withPointers(
    _ source: Matrix, _ target: inout Matrix, _ body: (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void
) {
    source.elements.withUnsafeBufferPointer { source in
        target.withMutableElements { target in
            if let source = source.baseAddress, let target = target.baseAddress { body(source, target) }
        }
    }
}

/// Lends the elements of two matrices to read and of a third to write. Nothing happens for an empty one.
func withPointers(
    _ first: Matrix, _ second: Matrix, _ target: inout Matrix,
    _ body: (UnsafePointer<Double>, UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void
) {
    withPointers(first, &target) { first, target in
        second.elements.withUnsafeBufferPointer { second in
            if let second = second.baseAddress { body(first, second, target) }
        }
    }
}
