import CMartletOpenBLAS

/// `A = Q R` with orthonormal columns in `Q` and an upper triangle in `R`, whose diagonal is not negative.
public struct QRDecomposition: Sendable {
    /// `[m, n]` with orthonormal columns, also where the columns of `A` are dependent.
    public let orthonormal: Matrix
    /// `[n, n]`, upper triangular.
    public let triangular: Matrix

    /// Decomposes `matrix` `[m, n]` with `m >= n`, by Householder reflections.
    /// - Throws: ``LinearAlgebraError`` if it is wider than tall, or has a NaN or an infinity.
    public init(_ matrix: Matrix) throws(LinearAlgebraError) {
        let (m, n) = (matrix.rows, matrix.columns)
        guard m >= n else { throw .dimensionMismatch(operation: "QR decomposition", shapes: [[m, n]]) }
        guard matrix.isFinite else { throw .nonFinite(operation: "QR decomposition") }
        guard n > 0 else {
            self.orthonormal = matrix
            self.triangular = Matrix(rows: 0, columns: 0)
            return
        }
        BLAS.prepare()
        // Column-major LAPACK sees A^T = R^T Q^T: an LQ decomposition in place, without a transposition.
        var (short, long) = (Int32(n), Int32(m))
        var orthonormal = matrix.elements
        var scales = [Double](repeating: 0, count: n)
        var info = Int32(0)
        var work = [0.0]
        for call in 0...1 {
            var workCount = call == 0 ? Int32(-1) : Int32(work.count)
            dgelqf_(&short, &long, &orthonormal, &short, &scales, &work, &workCount, &info)
            if call == 0 { work = [Double](repeating: 0, count: max(1, Int(work[0]))) }
        }
        var triangular = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in i..<n { triangular[i * n + j] = orthonormal[i * n + j] }
        }
        work = [0.0]
        for call in 0...1 {
            var workCount = call == 0 ? Int32(-1) : Int32(work.count)
            dorglq_(&short, &long, &short, &orthonormal, &short, &scales, &work, &workCount, &info)
            if call == 0 { work = [Double](repeating: 0, count: max(1, Int(work[0]))) }
        }
        guard info == 0 else { throw .noConvergence(routine: "dorglq", info: Int(info)) }
        for i in 0..<n where triangular[i * n + i] < 0 {
            for j in i..<n { triangular[i * n + j].negate() }
            for row in 0..<m { orthonormal[row * n + i].negate() }
        }
        self.orthonormal = try Matrix(rows: m, columns: n, elements: orthonormal)
        self.triangular = try Matrix(rows: n, columns: n, elements: triangular)
    }
}
