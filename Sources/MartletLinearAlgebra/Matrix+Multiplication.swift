import MartletParallelism

extension Matrix {
    /// `op(self) op(other)`, `op` transposing where asked; shared out over `pool` if there is one, with the same bits
    /// either way.
    /// - Throws: ``LinearAlgebraError/dimensionMismatch(operation:shapes:)``.
    public func multiplied(
        by other: Matrix, transposed: Bool = false, otherTransposed: Bool = false, pool: ThreadPool? = nil
    ) throws(LinearAlgebraError) -> Matrix {
        let (m, k) = transposed ? (columns, rows) : (rows, columns)
        let (inner, n) = otherTransposed ? (other.columns, other.rows) : (other.rows, other.columns)
        guard k == inner else {
            throw .dimensionMismatch(operation: "product", shapes: [[m, k], [inner, n]])
        }
        return elements.withUnsafeBufferPointer { a in
            other.elements.withUnsafeBufferPointer { b in
                Matrix(rows: m, columns: n) { c in
                    guard let a = a.baseAddress, let b = b.baseAddress, k > 0 else {
                        c.update(repeating: 0, count: m * n)
                        return
                    }
                    BLAS.gemm(
                        pool: pool ?? .alone, transposeA: transposed, transposeB: otherTransposed, m: m, n: n, k: k,
                        a: a, lda: columns, b: b, ldb: other.columns, c: c, ldc: n)
                }
            }
        }
    }

    /// The symmetric product `A A^T` `[rows, rows]`, or with `transposed` `A^T A` `[columns, columns]`; both triangles
    /// are filled. Half the work of a product.
    public func gram(transposed: Bool = false, pool: ThreadPool? = nil) -> Matrix {
        let (n, k) = transposed ? (columns, rows) : (rows, columns)
        return elements.withUnsafeBufferPointer { a in
            Matrix(rows: n, columns: n) { c in
                guard let a = a.baseAddress, k > 0 else {
                    c.update(repeating: 0, count: n * n)
                    return
                }
                BLAS.gram(pool: pool ?? .alone, transpose: transposed, n: n, k: k, a: a, lda: columns, c: c, ldc: n)
            }
        }
    }

    /// `A^T B` `[columns, columns]` where it is known to be symmetric, as for `B = S A` with a symmetric `S`. Half the work of a
    /// product.
    /// - Throws: ``LinearAlgebraError/dimensionMismatch(operation:shapes:)`` unless both have the same extents.
    public func symmetricProduct(with other: Matrix, pool: ThreadPool? = nil) throws(LinearAlgebraError) -> Matrix {
        guard rows == other.rows, columns == other.columns else {
            throw .dimensionMismatch(
                operation: "symmetric product", shapes: [[rows, columns], [other.rows, other.columns]])
        }
        return elements.withUnsafeBufferPointer { a in
            other.elements.withUnsafeBufferPointer { b in
                Matrix(rows: columns, columns: columns) { c in
                    guard let a = a.baseAddress, let b = b.baseAddress, rows > 0 else {
                        c.update(repeating: 0, count: columns * columns)
                        return
                    }
                    BLAS.symmetricProduct(
                        pool: pool ?? .alone, transpose: true, n: columns, k: rows, a: a, b: b, lda: columns, c: c,
                        ldc: columns)
                }
            }
        }
    }
}

extension ThreadPool {
    /// The calling thread by itself.
    static let alone = ThreadPool(threadCount: 1)
}

extension BLAS {
    /// `C = A A^T` (`A^T A` with `transpose`), both triangles of `C` `[n, n]`, in fixed tiles shared out over `pool`.
    ///
    /// `a` holds `[n, k]`, or `[k, n]` with `transpose`.
    public static func gram(
        pool: ThreadPool, transpose: Bool = false, n: Int, k: Int, a: UnsafePointer<Double>, lda: Int,
        c: UnsafeMutablePointer<Double>, ldc: Int
    ) {
        symmetricProduct(pool: pool, transpose: transpose, n: n, k: k, a: a, b: a, lda: lda, c: c, ldc: ldc)
    }

    /// `C = A B^T` (`A^T B` with `transpose`) where that is symmetric, `b` being laid out as `a` is.
    static func symmetricProduct(
        pool: ThreadPool, transpose: Bool, n: Int, k: Int, a: UnsafePointer<Double>, b: UnsafePointer<Double>, lda: Int,
        c: UnsafeMutablePointer<Double>, ldc: Int
    ) {
        // Tiles on and below the diagonal; of a matrix with itself those on it are symmetric too.
        let blocks = (n + tileRows - 1) / tileRows
        pool.forEach(blocks * (blocks + 1) / 2) { tile in
            var row = 0
            while (row + 1) * (row + 2) / 2 <= tile { row += 1 }
            let column = tile - row * (row + 1) / 2
            let (i, j) = (row * tileRows, column * tileRows)
            let (height, width) = (min(tileRows, n - i), min(tileRows, n - j))
            let left = a + (transpose ? i : i * lda)
            let right = b + (transpose ? j : j * lda)
            let target = c + i * ldc + j
            if row == column, a == b {
                syrk(triangle: .lower, transpose: transpose, n: height, k: k, a: left, lda: lda, c: target, ldc: ldc)
            } else {
                gemm(
                    transposeA: transpose, transposeB: !transpose, m: height, n: width, k: k, a: left, lda: lda,
                    b: right, ldb: lda, c: target, ldc: ldc)
            }
        }
        mirrorLowerTriangle(n: n, c: c, ldc: ldc)
    }

    /// Copies the lower triangle of `C` `[n, n]` onto its upper one.
    public static func mirrorLowerTriangle(n: Int, c: UnsafeMutablePointer<Double>, ldc: Int) {
        let block = 32
        for i0 in stride(from: 0, to: n, by: block) {
            for j0 in stride(from: 0, through: i0, by: block) {
                for i in i0..<min(i0 + block, n) {
                    for j in j0..<min(j0 + block, i) { c[j * ldc + i] = c[i * ldc + j] }
                }
            }
        }
    }
}
