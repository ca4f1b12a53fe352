import MartletKernelsBaseline
import MartletLinearAlgebra
import MartletNetworks

/// A product of two matrices with addend and activation: `y = factor op(a) op(b) + addend`. Fully connected layers are of
/// this kind.
final class ProductStep: DifferentiableStep {
    /// A factor, its stored extents, and where its gradient goes.
    struct Factor {
        var base: UnsafeMutablePointer<Float>
        var isTransposed: Bool
        var gradient: GradientTarget?
    }

    /// What is added, repeated along an axis whose stride is zero.
    struct Addend {
        var base: UnsafeMutablePointer<Float>
        var rowStride: Int
        var columnStride: Int
        var factor: Float
        var gradient: GradientTarget?
    }

    struct Operands {
        var layer: String
        var a: Factor
        var b: Factor
        var addend: Addend?
        var x: Operand
        var y: Operand
        var gradient: UnsafeMutablePointer<Float>?
        var rows: Int
        var columns: Int
        var terms: Int
        var factor: Float
        var activation: Activation?
    }

    private let o: Operands

    init(_ operands: Operands) { o = operands }

    func forward(_ context: TrainingContext) {
        let o = o
        BLAS.gemm(
            pool: context.pool, transposeA: o.a.isTransposed, transposeB: o.b.isTransposed, m: o.rows, n: o.columns,
            k: o.terms, alpha: o.factor, a: o.a.base, lda: o.a.isTransposed ? o.rows : o.terms, b: o.b.base,
            ldb: o.b.isTransposed ? o.terms : o.columns, c: o.y.base, ldc: o.columns)
        for row in 0..<o.rows {
            let y = o.y.base + row * o.columns
            if let addend = o.addend {
                let values = addend.base + row * addend.rowStride
                for column in 0..<o.columns { y[column] += addend.factor * values[column * addend.columnStride] }
            }
            o.activation?.apply(y, into: y, count: o.columns)
        }
    }

    func backward(_ context: TrainingContext) {
        guard let gradient = o.gradient else { return }
        let o = o
        o.activation?.multiplyGradient(gradient, result: o.y.base, count: o.rows * o.columns)
        if let observer = context.observer, observer.wants(o.layer) {
            observer.observe(o.layer, input: o.x.view, gradient: Operand(base: gradient, extents: o.y.extents).view)
        }
        if let addend = o.addend, let target = addend.gradient { add(gradient, of: addend, to: target) }
        if let target = o.a.gradient {
            // da = dy b^T, or its transpose b dy^T.
            let ldb = o.b.isTransposed ? o.terms : o.columns
            if o.a.isTransposed {
                BLAS.gemm(
                    pool: context.pool, transposeA: o.b.isTransposed, transposeB: true, m: o.terms, n: o.rows,
                    k: o.columns, alpha: o.factor, a: o.b.base, lda: ldb, b: gradient, ldb: o.columns,
                    beta: target.accumulates ? 1 : 0, c: target.base, ldc: o.rows)
            } else {
                BLAS.gemm(
                    pool: context.pool, transposeB: !o.b.isTransposed, m: o.rows, n: o.terms, k: o.columns,
                    alpha: o.factor, a: gradient, lda: o.columns, b: o.b.base, ldb: ldb,
                    beta: target.accumulates ? 1 : 0, c: target.base, ldc: o.terms)
            }
        }
        if let target = o.b.gradient {
            // db = a^T dy, or its transpose dy^T a.
            let lda = o.a.isTransposed ? o.rows : o.terms
            if o.b.isTransposed {
                BLAS.gemm(
                    pool: context.pool, transposeA: true, transposeB: o.a.isTransposed, m: o.columns, n: o.terms,
                    k: o.rows, alpha: o.factor, a: gradient, lda: o.columns, b: o.a.base, ldb: lda,
                    beta: target.accumulates ? 1 : 0, c: target.base, ldc: o.terms)
            } else {
                BLAS.gemm(
                    pool: context.pool, transposeA: !o.a.isTransposed, m: o.terms, n: o.columns, k: o.rows,
                    alpha: o.factor, a: o.a.base, lda: lda, b: gradient, ldb: o.columns,
                    beta: target.accumulates ? 1 : 0, c: target.base, ldc: o.columns)
            }
        }
    }

    private func add(_ gradient: UnsafePointer<Float>, of addend: Addend, to target: GradientTarget) {
        let count = (addend.rowStride == 0 ? 1 : o.rows) * (addend.columnStride == 0 ? 1 : o.columns)
        target.prepare(at: 0, count: count)
        for row in 0..<o.rows {
            let (from, to) = (gradient + row * o.columns, target.base + row * addend.rowStride)
            for column in 0..<o.columns { to[column * addend.columnStride] += addend.factor * from[column] }
        }
    }
}
