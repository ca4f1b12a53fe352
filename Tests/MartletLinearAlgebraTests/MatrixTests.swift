import MartletParallelism
import Testing

@testable import MartletLinearAlgebra

/// A matrix of numbers in -1 ... 1.
func randomMatrix(_ rows: Int, _ columns: Int, _ random: inout SeededGenerator) -> Matrix {
    Matrix(rows: rows, columns: columns) { target in
        for index in 0..<rows * columns { target[index] = Double.random(in: -1...1, using: &random) }
    }
}

@Suite struct MatrixTests {
    @Test func refusesWrongExtents() {
        #expect(throws: LinearAlgebraError.dimensionMismatch(operation: "matrix", shapes: [[2, 3], [5]])) {
            try Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5])
        }
        #expect(throws: LinearAlgebraError.unsupportedExtent(operation: "matrix", shape: [-1, 3])) {
            try Matrix(rows: -1, columns: 3, elements: [])
        }
        #expect(throws: LinearAlgebraError.unsupportedExtent(operation: "matrix", shape: [1 << 40, 1 << 40])) {
            try Matrix(rows: 1 << 40, columns: 1 << 40, elements: [])
        }
        #expect(throws: LinearAlgebraError.self) {
            try Matrix(rows: 2, columns: 3).multiplied(by: Matrix(rows: 2, columns: 3))
        }
    }

    @Test func productsTransposedOrNot() throws {
        var random = SeededGenerator(seed: 5)
        let a = randomMatrix(4, 6, &random)
        let b = randomMatrix(6, 3, &random)
        let wanted = productByLoops(
            transposeA: false, transposeB: false, m: 4, n: 3, k: 6, alpha: 1, a: a.elements, lda: 6, b: b.elements,
            ldb: 3, beta: 0, c: [Double](repeating: 0, count: 12), ldc: 3)
        #expect(largestDifference(try a.multiplied(by: b).elements, wanted) < 1e-14)
        let fromTransposes = try a.transposed.multiplied(by: b.transposed, transposed: true, otherTransposed: true)
        #expect(largestDifference(fromTransposes.elements, wanted) < 1e-14)
        #expect(a.transposed.transposed == a)
        #expect(a.transposed[5, 3] == a[3, 5])
    }

    @Test func emptyProductsAreZero() throws {
        let product = try Matrix(rows: 3, columns: 0).multiplied(by: Matrix(rows: 0, columns: 2))
        #expect(product == Matrix(rows: 3, columns: 2))
        #expect(Matrix(rows: 3, columns: 0).gram() == Matrix(rows: 3, columns: 3))
        #expect(try Matrix(rows: 0, columns: 3).multiplied(by: Matrix(rows: 3, columns: 0)).elements.isEmpty)
    }

    @Test func threadsDoNotChangeABit() throws {
        var random = SeededGenerator(seed: 6)
        let a = randomMatrix(530, 70, &random)
        let b = randomMatrix(70, 1100, &random)
        let product = try a.multiplied(by: b)
        let gram = a.gram()
        #expect(largestDifference(gram.elements, try a.multiplied(by: a, otherTransposed: true).elements) < 1e-12)
        #expect(gram == gram.transposed)
        for threads in [2, 3, 5] {
            let pool = ThreadPool(threadCount: threads)
            #expect(try a.multiplied(by: b, pool: pool) == product)
            #expect(a.gram(pool: pool) == gram)
        }
        // A S A^T with a symmetric S, by its lower triangle.
        let image = try randomMatrix(70, 70, &random).gram().multiplied(by: b)
        let symmetric = try b.symmetricProduct(with: image)
        #expect(symmetric == symmetric.transposed)
        #expect(largestDifference(symmetric.elements, try b.multiplied(by: image, transposed: true).elements) < 1e-10)
        #expect(try b.symmetricProduct(with: image, pool: ThreadPool(threadCount: 3)) == symmetric)
        #expect(throws: LinearAlgebraError.self) { try b.symmetricProduct(with: a) }
        let sample = [(0, 0), (255, 511), (256, 512), (529, 1099), (300, 1024)]
        for (i, j) in sample {
            let wanted = (0..<70).reduce(0.0) { $0 + a[i, $1] * b[$1, j] }
            #expect(abs(product[i, j] - wanted) < 1e-12)
        }
    }

    @Test func reductions() throws {
        let matrix = try Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4])
        #expect(matrix.trace == 5)
        #expect(matrix.squaredNorm == 30)
        #expect(matrix.dot(Matrix.identity(2)) == 5)
        #expect(matrix.leadingColumns(1).elements == [1, 3])
        #expect(matrix.isFinite)
        for bad in [Double.nan, .infinity, -.infinity] {
            var damaged = matrix
            damaged[1, 0] = bad
            #expect(!damaged.isFinite)
        }
    }
}
