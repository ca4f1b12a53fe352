import MartletParallelism

// Products shared out over threads. The tiles are fixed: an element is always computed by the same call of OpenBLAS,
// whatever the number of threads, so it always has the same bits.
extension BLAS {
    /// The extents of a tile of a product's result, chosen so that packing the operands anew for each tile costs little.
    static let tileRows = 256
    static let tileColumns = 512

    static func forEachTile(
        m: Int, n: Int, pool: ThreadPool, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
    ) {
        let across = (n + tileColumns - 1) / tileColumns
        let down = (m + tileRows - 1) / tileRows
        pool.forEach(across * down) { tile in
            let row = (tile / across) * tileRows
            let column = (tile % across) * tileColumns
            body(row..<min(row + tileRows, m), column..<min(column + tileColumns, n))
        }
    }

    /// ``gemm(transposeA:transposeB:m:n:k:alpha:a:lda:b:ldb:beta:c:ldc:)-(Bool,_,_,_,_,Double,_,_,_,_,_,_,_)``
    /// in fixed tiles of the result, shared out over `pool`.
    public static func gemm(
        pool: ThreadPool, transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Double = 1,
        a: UnsafePointer<Double>, lda: Int, b: UnsafePointer<Double>, ldb: Int, beta: Double = 0,
        c: UnsafeMutablePointer<Double>, ldc: Int
    ) {
        forEachTile(m: m, n: n, pool: pool) { rows, columns in
            gemm(
                transposeA: transposeA, transposeB: transposeB, m: rows.count, n: columns.count, k: k, alpha: alpha,
                a: a + (transposeA ? rows.lowerBound : rows.lowerBound * lda), lda: lda,
                b: b + (transposeB ? columns.lowerBound * ldb : columns.lowerBound), ldb: ldb, beta: beta,
                c: c + rows.lowerBound * ldc + columns.lowerBound, ldc: ldc)
        }
    }

    /// ``gemm(transposeA:transposeB:m:n:k:alpha:a:lda:b:ldb:beta:c:ldc:)-(Bool,_,_,_,_,Float,_,_,_,_,_,_,_)``
    /// in fixed tiles of the result, shared out over `pool`.
    public static func gemm(
        pool: ThreadPool, transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
        a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int, beta: Float = 0,
        c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        forEachTile(m: m, n: n, pool: pool) { rows, columns in
            gemm(
                transposeA: transposeA, transposeB: transposeB, m: rows.count, n: columns.count, k: k, alpha: alpha,
                a: a + (transposeA ? rows.lowerBound : rows.lowerBound * lda), lda: lda,
                b: b + (transposeB ? columns.lowerBound * ldb : columns.lowerBound), ldb: ldb, beta: beta,
                c: c + rows.lowerBound * ldc + columns.lowerBound, ldc: ldc)
        }
    }

    /// ``trsm(side:triangle:transposeA:m:n:alpha:a:lda:b:ldb:)-(_,_,_,_,_,Double,_,_,_,_)`` with the right-hand sides
    /// shared out over `pool`, in fixed groups.
    public static func trsm(
        pool: ThreadPool, side: Side, triangle: Triangle, transposeA: Bool = false, m: Int, n: Int, alpha: Double = 1,
        a: UnsafePointer<Double>, lda: Int, b: UnsafeMutablePointer<Double>, ldb: Int
    ) {
        let independent = side == .left ? n : m
        let group = 128
        pool.forEach((independent + group - 1) / group) { index in
            let start = index * group
            let count = min(group, independent - start)
            trsm(
                side: side, triangle: triangle, transposeA: transposeA, m: side == .left ? m : count,
                n: side == .left ? count : n, alpha: alpha, a: a, lda: lda,
                b: b + (side == .left ? start : start * ldb), ldb: ldb)
        }
    }
}
