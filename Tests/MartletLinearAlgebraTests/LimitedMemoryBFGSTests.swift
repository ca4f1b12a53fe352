import Testing

@testable import MartletLinearAlgebra

@Suite struct LimitedMemoryBFGSTests {
    private let matrix: Matrix
    private let right: [Double]

    init() {
        var random = SeededGenerator(seed: 14)
        var matrix = randomMatrix(30, 34, &random).gram()
        for index in 0..<30 { matrix[index, index] += 0.1 + Double(index) }
        self.matrix = matrix
        self.right = random.values(30)
    }

    /// Of `x A x / 2 - b x`.
    private func gradient(_ x: [Double]) throws -> [Double] {
        let image = try matrix.multiplied(by: Matrix(rows: 30, columns: 1, elements: x)).elements
        return zip(image, right).map { $0 - $1 }
    }

    private func steps(
        memory: Int, preconditioner: ([Double]) -> [Double]
    ) throws -> Int {
        var method = LimitedMemoryBFGS(memory: memory)
        var point = [Double](repeating: 0, count: 30)
        var slope = try gradient(point)
        for step in 0..<1000 {
            if slope.allSatisfy({ abs($0) < 1e-10 }) {
                let wanted = try CholeskyDecomposition(matrix)
                    .solve(Matrix(rows: 30, columns: 1, elements: right)).elements
                #expect(largestDifference(point, wanted) < 1e-9)
                return step
            }
            let direction = method.direction(gradient: slope, preconditioner: preconditioner)
            let falls = dot(direction, slope)
            #expect(falls < 0)
            // The exact minimum along the line.
            let image = try gradient(direction)
            let curvature = dot(direction, zip(image, right).map { $0 + $1 })
            let length = -falls / curvature
            for index in point.indices { point[index] += length * direction[index] }
            let next = try gradient(point)
            method.record(step: direction.map { length * $0 }, change: zip(next, slope).map { $0 - $1 })
            slope = next
        }
        return 1000
    }

    @Test func findsTheMinimum() throws {
        let plain = try steps(memory: 10) { $0 }
        let diagonal = try steps(memory: 10) { residual in residual.indices.map { residual[$0] / matrix[$0, $0] } }
        // A scale means nothing to it.
        let scaled = try steps(memory: 10) { residual in residual.indices.map { 50 * residual[$0] / matrix[$0, $0] } }
        #expect(plain < 100)
        #expect(diagonal < plain)
        #expect(abs(scaled - diagonal) <= 3)
        // With a memory of as many steps as there are unknowns it is the method of conjugate gradients.
        #expect(try steps(memory: 40) { $0 } <= 32)
    }

    @Test func leavesOutWhatWouldLeadUphill() {
        var method = LimitedMemoryBFGS()
        method.record(step: [1, 0], change: [-1, 0])
        method.record(step: [1, 0], change: [0, 1])
        #expect(method.isEmpty)
        #expect(method.direction(gradient: [3, 4]) { $0 } == [-3, -4])
        method.record(step: [1, 0], change: [2, 0])
        #expect(!method.isEmpty)
        #expect(method.direction(gradient: [3, 4]) { $0 } == [-1.5, -2])
        method.forget()
        #expect(method.isEmpty)
    }
}
