import MartletParallelism
import Testing

@testable import MartletLinearAlgebra

private func distanceFromIdentity(_ matrix: Matrix) -> Double {
    largestDifference(matrix.elements, Matrix.identity(matrix.rows).elements)
}

@Suite struct SymmetricEigendecompositionTests {
    @Test(arguments: [1, 2, 5, 33, 120]) func rebuildsTheMatrix(order: Int) throws {
        var random = SeededGenerator(seed: UInt64(order))
        let root = randomMatrix(order, order, &random)
        var matrix = try root.multiplied(by: Matrix.identity(order))
        // Symmetric and indefinite; the upper triangle is not to be read.
        for i in 0..<order { for j in 0..<i { matrix[j, i] = matrix[i, j] } }
        var lower = matrix
        for i in 0..<order { for j in i + 1..<max(order, i + 1) { lower[i, j] = 99 } }

        let eigen = try SymmetricEigendecomposition(lower)
        #expect(eigen.values == eigen.values.sorted(by: >))
        #expect(distanceFromIdentity(eigen.vectors.gram(transposed: true)) < 1e-12)
        var scaled = eigen.vectors
        for i in 0..<order { for j in 0..<order { scaled[i, j] *= eigen.values[j] } }
        let rebuilt = try scaled.multiplied(by: eigen.vectors, otherTransposed: true)
        #expect(largestDifference(rebuilt.elements, matrix.elements) < 1e-12 * Double(order))
        for j in 0..<order {
            let column = (0..<order).map { eigen.vectors[$0, j] }
            let largest = column.map(abs).max() ?? 0
            #expect(column.first { abs($0) == largest } ?? 0 > 0)
        }

        let values = try SymmetricEigendecomposition.values(of: lower)
        #expect(largestDifference(values, eigen.values) < 1e-11)
        let leading = try SymmetricEigendecomposition(lower, leading: (order + 1) / 2)
        #expect(leading.vectors == eigen.vectors.leadingColumns((order + 1) / 2))
    }

    @Test func degenerateMatrices() throws {
        let zero = try SymmetricEigendecomposition(Matrix(rows: 4, columns: 4))
        #expect(zero.values == [0, 0, 0, 0])
        #expect(distanceFromIdentity(zero.vectors.gram(transposed: true)) < 1e-15)
        let same = try SymmetricEigendecomposition(Matrix.identity(6))
        #expect(largestDifference(same.values, [1, 1, 1, 1, 1, 1]) < 1e-15)
        #expect(distanceFromIdentity(same.vectors.gram(transposed: true)) < 1e-14)
        #expect(try SymmetricEigendecomposition(Matrix(rows: 0, columns: 0)).values.isEmpty)
    }

    @Test func refusesWhatItCannotDecompose() {
        #expect(throws: LinearAlgebraError.nonFinite(operation: "eigendecomposition")) {
            try SymmetricEigendecomposition(Matrix(rows: 2, columns: 2, repeating: .nan))
        }
        #expect(throws: LinearAlgebraError.self) { try SymmetricEigendecomposition(Matrix(rows: 2, columns: 3)) }
        #expect(throws: LinearAlgebraError.self) { try SymmetricEigendecomposition(.identity(2), leading: 3) }
    }
}

@Suite struct SingularValueDecompositionTests {
    @Test(arguments: [(1, 1), (7, 3), (3, 7), (40, 40), (20, 90)]) func rebuildsTheMatrix(m: Int, n: Int) throws {
        var random = SeededGenerator(seed: 9)
        let matrix = randomMatrix(m, n, &random)
        let k = min(m, n)
        let svd = try SingularValueDecomposition(matrix)
        #expect(svd.values == svd.values.sorted(by: >))
        #expect(distanceFromIdentity(svd.left.gram(transposed: true)) < 1e-13)
        #expect(distanceFromIdentity(svd.rightTransposed.gram()) < 1e-13)
        var scaled = svd.left
        for i in 0..<m { for j in 0..<k { scaled[i, j] *= svd.values[j] } }
        let rebuilt = try scaled.multiplied(by: svd.rightTransposed)
        #expect(largestDifference(rebuilt.elements, matrix.elements) < 1e-12)
        // Separate singular values, so both ways give the same vectors, signs included.
        let leading = try SingularValueDecomposition.leadingLeftVectors(of: matrix, count: (k + 1) / 2)
        #expect(largestDifference(leading.elements, svd.left.leadingColumns((k + 1) / 2).elements) < 1e-9)
    }

    @Test func edges() throws {
        #expect(try SingularValueDecomposition(Matrix(rows: 3, columns: 0)).values.isEmpty)
        #expect(try SingularValueDecomposition(Matrix(rows: 2, columns: 3)).values == [0, 0])
        #expect(throws: LinearAlgebraError.nonFinite(operation: "singular value decomposition")) {
            try SingularValueDecomposition(Matrix(rows: 2, columns: 2, repeating: .infinity))
        }
    }
}

@Suite struct QRDecompositionTests {
    @Test(arguments: [(1, 1), (5, 5), (9, 4), (130, 61)]) func rebuildsTheMatrix(m: Int, n: Int) throws {
        var random = SeededGenerator(seed: 10)
        let matrix = randomMatrix(m, n, &random)
        let qr = try QRDecomposition(matrix)
        #expect(distanceFromIdentity(qr.orthonormal.gram(transposed: true)) < 1e-13)
        let rebuilt = try qr.orthonormal.multiplied(by: qr.triangular)
        #expect(largestDifference(rebuilt.elements, matrix.elements) < 1e-13)
        for i in 0..<n {
            #expect(qr.triangular[i, i] >= 0)
            for j in 0..<i { #expect(qr.triangular[i, j] == 0) }
        }
    }

    @Test func dependentColumnsStillGiveAnOrthonormalBasis() throws {
        let qr = try QRDecomposition(Matrix(rows: 4, columns: 3, repeating: 1))
        #expect(distanceFromIdentity(qr.orthonormal.gram(transposed: true)) < 1e-14)
        #expect(throws: LinearAlgebraError.self) { try QRDecomposition(Matrix(rows: 2, columns: 3)) }
        #expect(throws: LinearAlgebraError.self) { try QRDecomposition(Matrix(rows: 3, columns: 2, repeating: .nan)) }
        #expect(try QRDecomposition(Matrix(rows: 3, columns: 0)).triangular.rows == 0)
    }
}

@Suite struct CholeskyDecompositionTests {
    @Test(arguments: [1, 2, 20, 150]) func factorsAndSolves(order: Int) throws {
        var random = SeededGenerator(seed: 11)
        var matrix = randomMatrix(order, order + 3, &random).gram()
        for index in 0..<order { matrix[index, index] += 1 }
        let right = randomMatrix(order, 5, &random)
        let cholesky = try CholeskyDecomposition(matrix)
        let rebuilt = try cholesky.factor.multiplied(by: cholesky.factor, otherTransposed: true)
        #expect(largestDifference(rebuilt.elements, matrix.elements) < 1e-12)
        let solution = try cholesky.solve(right)
        let back = try matrix.multiplied(by: solution)
        #expect(largestDifference(back.elements, right.elements) < 1e-10)
        #expect(try cholesky.solve(right, pool: ThreadPool(threadCount: 3)) == solution)
    }

    @Test func reportsWhereItFails() throws {
        let indefinite = try Matrix(rows: 3, columns: 3, elements: [1, 0, 0, 0, 1, 0, 0, 0, -1])
        #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 3)) { try CholeskyDecomposition(indefinite) }
        #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 1)) {
            try CholeskyDecomposition(Matrix(rows: 2, columns: 2))
        }
        #expect(throws: LinearAlgebraError.self) { try CholeskyDecomposition(Matrix(rows: 2, columns: 3)) }
        #expect(throws: LinearAlgebraError.nonFinite(operation: "Cholesky decomposition")) {
            try CholeskyDecomposition(Matrix(rows: 2, columns: 2, repeating: .nan))
        }
        #expect(throws: LinearAlgebraError.singular(row: 0)) {
            try Matrix(rows: 2, columns: 2).solvingTriangular(.upper, right: Matrix(rows: 2, columns: 1))
        }
    }
}
