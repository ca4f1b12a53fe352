import Testing

@testable import MartletLinearAlgebra

@Suite struct ConjugateGradientsTests {
    private let matrix: Matrix
    private let right: [Double]

    init() {
        var random = SeededGenerator(seed: 12)
        var matrix = randomMatrix(40, 44, &random).gram()
        for index in 0..<40 { matrix[index, index] += 0.01 + Double(index) }
        self.matrix = matrix
        self.right = random.values(40)
    }

    private func times(_ x: [Double]) throws -> [Double] {
        try matrix.multiplied(by: Matrix(rows: 40, columns: 1, elements: x)).elements
    }

    @Test func solves() throws {
        let wanted = try CholeskyDecomposition(matrix).solve(Matrix(rows: 40, columns: 1, elements: right)).elements
        let plain = try ConjugateGradients.solve(
            rightHandSide: right, maximumIterations: 500, tolerance: 1e-12, operator: times)
        #expect(plain.converged)
        #expect(largestDifference(plain.iterate, wanted) < 1e-9)
        let scaled = try ConjugateGradients.solve(
            rightHandSide: right, start: right, maximumIterations: 500, tolerance: 1e-12,
            preconditioner: { residual in residual.indices.map { residual[$0] / matrix[$0, $0] } }, operator: times)
        #expect(scaled.converged)
        #expect(largestDifference(scaled.iterate, wanted) < 1e-9)
        #expect(scaled.iterations < plain.iterations)
        // From the solution there is nothing left to do.
        let again = try ConjugateGradients.solve(
            rightHandSide: right, start: wanted, maximumIterations: 500, tolerance: 1e-9, operator: times)
        #expect(again.iterations == 0 && again.converged)
    }

    @Test func everyStepLowersTheObjective() throws {
        func objective(_ x: [Double]) throws -> Double {
            let image = try times(x)
            return x.indices.reduce(0.0) { $0 + x[$1] * (0.5 * image[$1] - right[$1]) }
        }
        var previous = try objective(right)
        for steps in 1...12 {
            let solution = try ConjugateGradients.solve(
                rightHandSide: right, start: right, maximumIterations: steps, operator: times)
            #expect(solution.iterations == steps)
            let value = try objective(solution.iterate)
            #expect(value < previous)
            previous = value
        }
    }

    @Test func edges() throws {
        let nothing = try ConjugateGradients.solve(rightHandSide: [0, 0], maximumIterations: 5) { $0 }
        #expect(nothing.iterate == [0, 0] && nothing.converged)
        // A singular operator: the part it sees is solved, the rest stays.
        let singular = try ConjugateGradients.solve(rightHandSide: [2, 0], maximumIterations: 5, tolerance: 1e-12) {
            [2 * $0[0], 0]
        }
        #expect(singular.iterate == [1, 0])
        let zero = try ConjugateGradients.solve(rightHandSide: [1, 1], maximumIterations: 5) { _ in [0, 0] }
        #expect(zero.iterate == [0, 0] && !zero.converged)
        #expect(throws: LinearAlgebraError.self) {
            try ConjugateGradients.solve(rightHandSide: [1, .nan], maximumIterations: 5) { $0 }
        }
        #expect(throws: LinearAlgebraError.self) {
            try ConjugateGradients.solve(rightHandSide: [1, 1], maximumIterations: 5) { _ in [1] }
        }
        #expect(throws: LinearAlgebraError.self) {
            try ConjugateGradients.solve(rightHandSide: [1, 1], maximumIterations: 5) { _ in [.infinity, 1] }
        }
    }
}
