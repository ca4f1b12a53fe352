import Testing

@testable import MartletLinearAlgebra

@Suite struct BLASTests {
    @Test func gemmMatchesThreeLoops() {
        var random = SeededGenerator(seed: 1)
        for trial in 0..<120 {
            let m = Int.random(in: 0...40, using: &random)
            let n = Int.random(in: 0...40, using: &random)
            let k = Int.random(in: 0...40, using: &random)
            let transposeA = trial & 1 == 1
            let transposeB = trial & 2 == 2
            let beta = trial & 4 == 4 ? 0.0 : 0.5
            let lda = (transposeA ? m : k) + trial % 3
            let ldb = (transposeB ? k : n) + trial % 2
            let ldc = n + trial % 4
            let a = random.values((transposeA ? k : m) * lda + 1)
            let b = random.values((transposeB ? n : k) * ldb + 1)
            // What beta = 0 must not read.
            let c = beta == 0 ? [Double](repeating: .nan, count: m * ldc + 1) : random.values(m * ldc + 1)
            let wanted = productByLoops(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 1.25, a: a, lda: lda, b: b,
                ldb: ldb, beta: beta, c: c, ldc: ldc)

            var inDouble = c
            BLAS.gemm(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 1.25, a: a, lda: lda, b: b,
                ldb: ldb, beta: beta, c: &inDouble, ldc: ldc)
            #expect(largestDifference(inDouble, wanted) < 1e-13, "\(m) \(n) \(k)")

            var inFloat = c.map(Float.init)
            BLAS.gemm(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 1.25, a: a.map(Float.init),
                lda: lda, b: b.map(Float.init), ldb: ldb, beta: Float(beta), c: &inFloat, ldc: ldc)
            #expect(largestDifference(inFloat.map(Double.init), wanted) < 2e-5, "\(m) \(n) \(k)")
        }
    }

    @Test func syrkFillsOneTriangle() {
        var random = SeededGenerator(seed: 2)
        for trial in 0..<40 {
            let n = Int.random(in: 1...30, using: &random)
            let k = Int.random(in: 0...30, using: &random)
            let transpose = trial & 1 == 1
            let triangle: BLAS.Triangle = trial & 2 == 2 ? .lower : .upper
            let lda = (transpose ? n : k) + trial % 3
            let ldc = n + trial % 2
            let a = random.values((transpose ? k : n) * lda + 1)
            let c = random.values(n * ldc)
            var wanted = productByLoops(
                transposeA: transpose, transposeB: !transpose, m: n, n: n, k: k, alpha: 0.5, a: a, lda: lda, b: a,
                ldb: lda, beta: 2, c: c, ldc: ldc)
            for i in 0..<n {
                for j in 0..<n where triangle == .lower ? j > i : j < i { wanted[i * ldc + j] = c[i * ldc + j] }
            }
            var inDouble = c
            BLAS.syrk(
                triangle: triangle, transpose: transpose, n: n, k: k, alpha: 0.5, a: a, lda: lda, beta: 2, c: &inDouble,
                ldc: ldc)
            #expect(largestDifference(inDouble, wanted) < 1e-13)
            var inFloat = c.map(Float.init)
            BLAS.syrk(
                triangle: triangle, transpose: transpose, n: n, k: k, alpha: 0.5, a: a.map(Float.init), lda: lda,
                beta: 2, c: &inFloat, ldc: ldc)
            #expect(largestDifference(inFloat.map(Double.init), wanted) < 2e-5)
        }
    }

    @Test func gemvMatchesGemm() {
        var random = SeededGenerator(seed: 3)
        for trial in 0..<40 {
            let m = Int.random(in: 0...30, using: &random)
            let n = Int.random(in: 0...30, using: &random)
            let transpose = trial & 1 == 1
            let (outputs, terms) = transpose ? (n, m) : (m, n)
            let a = random.values(m * n + 1)
            let x = random.values(terms + 1)
            let y = random.values(outputs + 1)
            let lda = max(n, 1)
            let wanted = productByLoops(
                transposeA: transpose, transposeB: false, m: outputs, n: 1, k: terms, alpha: 1.5, a: a, lda: lda, b: x,
                ldb: 1, beta: 0.25, c: y, ldc: 1)
            var inDouble = y
            BLAS.gemv(transpose: transpose, m: m, n: n, alpha: 1.5, a: a, lda: lda, x: x, beta: 0.25, y: &inDouble)
            #expect(largestDifference(inDouble, wanted) < 1e-13)
            var inFloat = y.map(Float.init)
            BLAS.gemv(
                transpose: transpose, m: m, n: n, alpha: 1.5, a: a.map(Float.init), lda: lda, x: x.map(Float.init),
                beta: 0.25, y: &inFloat)
            #expect(largestDifference(inFloat.map(Double.init), wanted) < 2e-5)
        }
    }

    @Test(arguments: [BLAS.Side.left, .right], [BLAS.Triangle.lower, .upper])
    func trsmSolves(side: BLAS.Side, triangle: BLAS.Triangle) {
        var random = SeededGenerator(seed: 4)
        for transpose in [false, true] {
            let (m, n) = (7, 5)
            let order = side == .left ? m : n
            var a = random.values(order * order)
            for i in 0..<order {
                a[i * order + i] += 4
                // The other triangle must not be read.
                for j in 0..<order where triangle == .lower ? j > i : j < i { a[i * order + j] = .nan }
            }
            let b = random.values(m * n)
            var x = b
            BLAS.trsm(
                side: side, triangle: triangle, transposeA: transpose, m: m, n: n, alpha: 2, a: a, lda: order, b: &x,
                ldb: n)
            let clean = a.map { $0.isNaN ? 0 : $0 }
            let zero = [Double](repeating: 0, count: m * n)
            let back =
                side == .left
                ? productByLoops(
                    transposeA: transpose, transposeB: false, m: m, n: n, k: m, alpha: 1, a: clean, lda: m, b: x,
                    ldb: n, beta: 0, c: zero, ldc: n)
                : productByLoops(
                    transposeA: false, transposeB: transpose, m: m, n: n, k: n, alpha: 1, a: x, lda: n, b: clean,
                    ldb: n, beta: 0, c: zero, ldc: n)
            #expect(largestDifference(back, b.map { 2 * $0 }) < 1e-12)
        }
    }
}
