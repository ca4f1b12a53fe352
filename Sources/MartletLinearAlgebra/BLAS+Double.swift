import CMartletOpenBLAS

extension BLAS {
    /// `C = alpha op(A) op(B) + beta C` with `op(A)` of `[m, k]`, `op(B)` of `[k, n]` and `C` of `[m, n]`.
    ///
    /// With `transposeA`, `a` holds `[k, m]` and `op` transposes it; likewise `transposeB`. `lda`, `ldb` and `ldc`
    /// are the distances between the rows as stored. `C` is not read when `beta` is zero.
    public static func gemm(
        transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Double = 1,
        a: UnsafePointer<Double>, lda: Int, b: UnsafePointer<Double>, ldb: Int, beta: Double = 0,
        c: UnsafeMutablePointer<Double>, ldc: Int
    ) {
        if m == 0 || n == 0 { return }
        prepare()
        cblas_dgemm(
            CblasRowMajor, cblas(transpose: transposeA), cblas(transpose: transposeB), Int32(m), Int32(n), Int32(k),
            alpha, a, Int32(max(lda, 1)), b, Int32(max(ldb, 1)), beta, c, Int32(ldc))
    }

    /// `C = alpha A A^T + beta C` (or `A^T A` with `transpose`) in one triangle of `C` `[n, n]`; the other stays as it is.
    ///
    /// `a` holds `[n, k]`, or `[k, n]` with `transpose`. `C` is not read when `beta` is zero.
    public static func syrk(
        triangle: Triangle, transpose: Bool = false, n: Int, k: Int, alpha: Double = 1, a: UnsafePointer<Double>,
        lda: Int, beta: Double = 0, c: UnsafeMutablePointer<Double>, ldc: Int
    ) {
        if n == 0 { return }
        prepare()
        cblas_dsyrk(
            CblasRowMajor, triangle.cblas, cblas(transpose: transpose), Int32(n), Int32(k), alpha, a,
            Int32(max(lda, 1)), beta, c, Int32(ldc))
    }

    /// `y = alpha op(A) x + beta y`, `a` holding `[m, n]`; with `transpose`, `x` has `m` elements and `y` has `n`.
    ///
    /// `y` is not read when `beta` is zero.
    public static func gemv(
        transpose: Bool = false, m: Int, n: Int, alpha: Double = 1, a: UnsafePointer<Double>, lda: Int,
        x: UnsafePointer<Double>, beta: Double = 0, y: UnsafeMutablePointer<Double>
    ) {
        // The reference BLAS leaves y alone when the sum is empty; here an empty sum is zero.
        let (outputs, terms) = transpose ? (n, m) : (m, n)
        if terms == 0 {
            for index in 0..<outputs { y[index] = beta == 0 ? 0 : beta * y[index] }
            return
        }
        if outputs == 0 { return }
        prepare()
        cblas_dgemv(
            CblasRowMajor, cblas(transpose: transpose), Int32(m), Int32(n), alpha, a, Int32(lda), x, 1, beta, y, 1)
    }

    /// Solves `op(A) X = alpha B` (or `X op(A) = alpha B` with `A` on the right) for a triangular `A`, in place:
    /// `b` `[m, n]` becomes `X`.
    ///
    /// `a` is `[m, m]` on the left, `[n, n]` on the right; only its `triangle` is read. A zero on the diagonal gives
    /// infinities.
    public static func trsm(
        side: Side, triangle: Triangle, transposeA: Bool = false, m: Int, n: Int, alpha: Double = 1,
        a: UnsafePointer<Double>, lda: Int, b: UnsafeMutablePointer<Double>, ldb: Int
    ) {
        if m == 0 || n == 0 { return }
        prepare()
        cblas_dtrsm(
            CblasRowMajor, side.cblas, triangle.cblas, cblas(transpose: transposeA), CblasNonUnit, Int32(m), Int32(n),
            alpha, a, Int32(lda), b, Int32(ldb))
    }
}
