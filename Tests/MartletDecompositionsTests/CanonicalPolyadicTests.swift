import MartletLinearAlgebra
import MartletParallelism
import Testing

@testable import MartletDecompositions

@Suite struct CanonicalPolyadicTests {
    /// Shape and rank: fewer terms than outputs, more than outputs and inputs, windows of one tap, one channel.
    static let cases: [([Int], Int)] = [
        ([8, 6, 3, 3], 4), ([6, 10, 3, 3], 14), ([12, 5, 1, 5], 5), ([7, 4, 5, 5], 9), ([9, 8, 3, 1], 6),
        ([5, 12, 2, 3], 3), ([10, 8, 1, 1], 5), ([1, 6, 3, 3], 2), ([6, 1, 3, 3], 3), ([4, 3, 3, 3], 1),
    ]

    /// The sum of rank-one terms, by the definition.
    private func sum(_ factors: CanonicalPolyadic) -> [Double] {
        var result: [Double] = []
        for t in 0..<factors.outputs.rows {
            for s in 0..<factors.inputs.rows {
                for i in 0..<factors.rows.rows {
                    for j in 0..<factors.columns.rows {
                        result.append(
                            (0..<factors.rank).reduce(0) {
                                $0 + factors.outputs[t, $1] * factors.inputs[s, $1] * factors.rows[i, $1]
                                    * factors.columns[j, $1]
                            })
                    }
                }
            }
        }
        return result
    }

    private func random(_ shape: [Int], _ rank: Int, _ random: inout SeededGenerator) throws -> CanonicalPolyadic {
        CanonicalPolyadic(
            outputs: try random.matrix(shape[0], rank), inputs: try random.matrix(shape[1], rank),
            rows: try random.matrix(shape[2], rank), columns: try random.matrix(shape[3], rank))
    }

    @Test(arguments: cases)
    func isASumOfTerms(shape: [Int], rank: Int) throws {
        var generator = SeededGenerator(seed: 80)
        let factors = try random(shape, rank, &generator)
        let kernel = try factors.reconstructed(pool: pool)
        #expect(kernel.shape == shape)
        #expect(largestDifference(kernel.elements, sum(factors)) < 1e-12)
        // Scaling within a term changes nothing.
        #expect(largestDifference(sum(factors.balanced()), sum(factors)) < 1e-12)
        #expect(largestDifference(sum(factors.withUnitPatches()), sum(factors)) < 1e-12)
        let norms = factors.balanced().outputs.columnNorms
        #expect(largestDifference(norms.map { $0 * $0 * $0 * $0 }, factors.termNorms) < 1e-12)
    }

    @Test(arguments: cases, [DecompositionOptions.Start.singularVectors, .random])
    func leastSquaresInTurns(_ example: ([Int], Int), start: DecompositionOptions.Start) throws {
        let (shape, rank) = example
        var generator = SeededGenerator(seed: 81)
        let kernel = try generator.kernel(shape)
        var options = DecompositionOptions()
        options.start = start
        options.maximumSweeps = 15
        options.tolerance = 0
        let fit = try CanonicalPolyadic.fit(kernel, rank: rank, norm: .frobenius, options: options, pool: pool)
        for (before, after) in zip(fit.errors, fit.errors.dropFirst()) { #expect(after <= before) }
        let measured = errorByLoops(
            kernel, try fit.factors.reconstructed(pool: pool), Matrix.identity(kernel.patchSize))
        #expect(abs(measured - (fit.errors.last ?? 1)) < 1e-10)

        // A sweep's outputs, and its last factor, against dense least squares.
        let problem = CPAlternatingLeastSquares(kernel, pool: pool)
        let point = CPStart.random(kernel, rank: rank, seed: 5)
        let swept = try problem.sweep(point).factors
        let (wanted, found) = try bestColumns(kernel, swept)
        #expect(abs(wanted - found) < 1e-8 * kernel.matrix.squaredNorm)
    }

    /// The least squared error over all column factors, and that of the one there is, by a dense system.
    private func bestColumns(
        _ kernel: ConvolutionKernel, _ factors: CanonicalPolyadic
    ) throws -> (wanted: Double, found: Double) {
        let (width, rank) = (factors.columns.rows, factors.rank)
        var design = Matrix(rows: kernel.parameterCount, columns: width * rank)
        for unknown in 0..<width * rank {
            var unit = Matrix(rows: width, columns: rank)
            unit[unknown / rank, unknown % rank] = 1
            let image = sum(
                CanonicalPolyadic(outputs: factors.outputs, inputs: factors.inputs, rows: factors.rows, columns: unit))
            for index in 0..<image.count { design[index, unknown] = image[index] }
        }
        return (try leastSquaresResidual(design, kernel.elements), residual(kernel, factors))
    }

    private func residual(_ kernel: ConvolutionKernel, _ factors: CanonicalPolyadic) -> Double {
        zip(kernel.elements, sum(factors)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }

    /// What of `target` is not in the span of the design's columns, which may be dependent.
    private func leastSquaresResidual(_ design: Matrix, _ target: [Double]) throws -> Double {
        let svd = try SingularValueDecomposition(design)
        var rest = target
        for (column, value) in svd.values.enumerated() where value > 1e-11 * (svd.values.first ?? 0) {
            let vector = (0..<design.rows).map { svd.left[$0, column] }
            let part = zip(vector, rest).reduce(0) { $0 + $1.0 * $1.1 }
            for index in rest.indices { rest[index] -= part * vector[index] }
        }
        return rest.reduce(0) { $0 + $1 * $1 }
    }

    @Test(arguments: [([8, 6, 3, 3], 3), ([6, 5, 3, 3], 8), ([10, 12, 5, 3], 6)])
    func findsTheTermsThatAreThere(shape: [Int], rank: Int) throws {
        var generator = SeededGenerator(seed: 82)
        let kernel = try random(shape, rank, &generator).reconstructed(pool: pool)
        let moment = try generator.secondMoment(dimension: kernel.patchSize, samples: 4 * kernel.patchSize)
        for norm in [Norm.frobenius, .sigma(moment)] {
            var options = DecompositionOptions()
            options.maximumSweeps = 2000
            options.tolerance = 1e-9
            options.restarts = 6
            let fit = try CanonicalPolyadic.fit(kernel, rank: rank, norm: norm, options: options, pool: pool)
            #expect((fit.errors.last ?? 1) < 1e-6)
        }
    }

    @Test func startsWithTheLargestSingularTriplets() throws {
        // Terms that are orthogonal in every mode are found as they are.
        var generator = SeededGenerator(seed: 83)
        func orthonormal(_ n: Int) throws -> Matrix { try QRDecomposition(generator.matrix(n, 3)).orthonormal }
        let weights = [3.0, 2, 1]
        let exact = CanonicalPolyadic(
            outputs: try orthonormal(7).scalingColumns(by: weights), inputs: try orthonormal(5),
            rows: try orthonormal(3), columns: try orthonormal(4))
        let kernel = try exact.reconstructed(pool: pool)
        for rank in 1...3 {
            let start = try CPStart.singularVectors(kernel, rank: rank, seed: 0, pool: pool)
            let wanted = weights.dropFirst(rank).reduce(0) { $0 + $1 * $1 }
            #expect(abs(residual(kernel, start) - wanted) < 1e-10)
        }
    }

    @Test func degenerateCases() throws {
        var generator = SeededGenerator(seed: 84)
        let zero = try ConvolutionKernel(
            outputs: 4, inputs: 3, height: 3, width: 3, elements: [Double](repeating: 0, count: 108))
        let moment = try generator.secondMoment(dimension: 27, samples: 100)
        for norm in [Norm.frobenius, .sigma(moment)] {
            let fit = try CanonicalPolyadic.fit(zero, rank: 2, norm: norm, pool: pool)
            #expect(fit.errors.last == 0)
            #expect(try fit.factors.reconstructed(pool: pool).elements.allSatisfy { $0 == 0 })
            let greedy = try CanonicalPolyadic.deflated(zero, rank: 2, norm: norm, pool: pool)
            #expect(try greedy.factors.reconstructed(pool: pool).elements.allSatisfy { $0 == 0 })
        }
        let kernel = try generator.kernel([4, 3, 3, 3])
        #expect(throws: DecompositionError.rankOutOfRange(mode: "rank", rank: 28, maximum: 27)) {
            try CanonicalPolyadic.fit(kernel, rank: 28, norm: .frobenius, pool: pool)
        }
        #expect(throws: DecompositionError.rankOutOfRange(mode: "rank", rank: 0, maximum: 27)) {
            try CanonicalPolyadic.deflated(kernel, rank: 0, norm: .frobenius, pool: pool)
        }
        // As many terms as represent everything.
        let whole = try CanonicalPolyadic.fit(kernel, rank: 27, norm: .frobenius, pool: pool)
        #expect((whole.errors.last ?? 1) < 1e-8)
        // One image, and directions that were never seen.
        for samples in [1, 5] {
            let few = try generator.secondMoment(dimension: 27, samples: samples)
            let fit = try CanonicalPolyadic.fit(kernel, rank: 3, norm: .sigma(few), pool: pool)
            #expect(fit.errors.allSatisfy { $0.isFinite && $0 <= 1 })
            #expect(fit.factors.inputs.isFinite && fit.factors.outputs.isFinite)
        }
        // A moment that is zero says nothing.
        let nothing = try SecondMoment(Matrix(rows: 27, columns: 27))
        #expect(
            try CanonicalPolyadic.fit(kernel, rank: 3, norm: .sigma(nothing), pool: pool).factors
                == CanonicalPolyadic.fit(kernel, rank: 3, norm: .frobenius, pool: pool).factors)
        let wrong = try generator.secondMoment(dimension: 5, samples: 20)
        #expect(throws: DecompositionError.dimensionMismatch(patch: 27, secondMoment: 5)) {
            try CanonicalPolyadic.fit(kernel, rank: 3, norm: .sigma(wrong), pool: pool)
        }
        struct Stop: Error {}
        for norm in [Norm.frobenius, .sigma(moment)] {
            #expect(throws: Stop.self) {
                try CanonicalPolyadic.fit(kernel, rank: 3, norm: norm, pool: pool) { throw Stop() }
            }
            #expect(throws: Stop.self) {
                try CanonicalPolyadic.deflated(kernel, rank: 3, norm: norm, pool: pool) { throw Stop() }
            }
        }
    }

    @Test func seedsAndRestarts() throws {
        var generator = SeededGenerator(seed: 85)
        let kernel = try generator.kernel([8, 8, 3, 3])
        func error(_ change: (inout DecompositionOptions) -> Void) throws -> Double {
            var options = DecompositionOptions()
            options.start = .random
            options.maximumSweeps = 5
            change(&options)
            return try CanonicalPolyadic.fit(kernel, rank: 6, norm: .frobenius, options: options, pool: pool).errors
                .last ?? 1
        }
        #expect(try error { $0.seed = 3 } == error { $0.seed = 3 })
        #expect(try error { $0.seed = 3 } != error { $0.seed = 4 })
        let each = try (3..<7).map { seed in try error { $0.seed = UInt64(seed) } }
        #expect(
            try error {
                $0.seed = 3
                $0.restarts = 4
            } == each.min())
    }

    // MARK: Bounded

    /// A tensor of rank three that two terms approach ever better the larger they get and the more they cancel
    /// (de Silva and Lim 2008), over inputs and a window.
    @Test func boundsTermsThatCancel() throws {
        var generator = SeededGenerator(seed: 87)
        let (a, b) = (try generator.matrix(6, 2), try generator.matrix(5, 2))
        let c = try generator.matrix(9, 2)
        var elements: [Double] = []
        for t in 0..<6 {
            for s in 0..<5 {
                for tap in 0..<9 {
                    elements.append(
                        a[t, 0] * b[s, 0] * c[tap, 1] + a[t, 0] * b[s, 1] * c[tap, 0] + a[t, 1] * b[s, 0] * c[tap, 0])
                }
            }
        }
        let kernel = try ConvolutionKernel(outputs: 6, inputs: 5, height: 1, width: 9, elements: elements)
        let moment = try generator.secondMoment(dimension: 45, samples: 200)
        for norm in [Norm.frobenius, .sigma(moment)] {
            var options = DecompositionOptions()
            options.maximumSweeps = 60
            options.tolerance = 0
            options.regularization = 1e-3
            let plain = try CanonicalPolyadic.fit(kernel, rank: 2, norm: norm, options: options, pool: pool)
            options.isBounded = true
            let bounded = try CanonicalPolyadic.fit(kernel, rank: 2, norm: norm, options: options, pool: pool)
            let (before, after) = (
                try plain.factors.termEnergyRatio(pool: pool), try bounded.factors.termEnergyRatio(pool: pool)
            )
            #expect(after < before, "\(before) \(after)")
            let (a, b) = (plain.factors, bounded.factors)
            if case .sigma = norm {
                // The error and the price of the terms, which is what is made small; and the error alone is not smaller.
                let sigma = regularized(moment, 1e-3)
                let price = CPSigmaProblem.roundingNoise
                let (total, before) = try (
                    b.error(kernel, sigma) + price * termSquares(b, sigma) / energy(kernel, sigma),
                    a.error(kernel, sigma) + price * termSquares(a, sigma) / energy(kernel, sigma)
                )
                #expect(total < before, "\(total) \(before)")
                #expect(try b.error(kernel, sigma) > a.error(kernel, sigma))
            } else {
                let identity = Matrix.identity(45)
                let bound = try a.error(kernel, identity) * (1 + ErrorPreservingCorrection.slack) + 1e-9
                #expect(try b.error(kernel, identity) <= bound)
            }
        }
    }

    /// The mean squares of what the terms add to the output, added up, by loops.
    private func termSquares(_ factors: CanonicalPolyadic, _ sigma: Matrix) throws -> Double {
        let (height, width) = (factors.rows.rows, factors.columns.rows)
        return (0..<factors.rank).reduce(0) { sum, r in
            var patch: [Double] = []
            for s in 0..<factors.inputs.rows {
                for i in 0..<height {
                    for j in 0..<width {
                        patch.append(factors.inputs[s, r] * factors.rows[i, r] * factors.columns[j, r])
                    }
                }
            }
            var square = 0.0
            for a in patch.indices { for b in patch.indices { square += patch[a] * sigma[a, b] * patch[b] } }
            let output = (0..<factors.outputs.rows).reduce(0) { $0 + factors.outputs[$1, r] * factors.outputs[$1, r] }
            return sum + output * square
        }
    }

    private func energy(_ kernel: ConvolutionKernel, _ sigma: Matrix) throws -> Double {
        try kernel.matrix.multiplied(by: sigma).dot(kernel.matrix)
    }

    /// The price belongs to what is minimised: no small movement of the patches lowers it faster than its gradient says.
    @Test func gradientOfAPricedError() throws {
        var generator = SeededGenerator(seed: 89)
        let kernel = try generator.kernel([5, 4, 3, 3])
        let moment = try generator.secondMoment(dimension: 36, samples: 100)
        var problem = try CPSigmaProblem(kernel, moment, regularization: 1e-3, pool: pool)
        problem.termPrice = 0.05
        let start = CPVector(CPStart.random(kernel, rank: 6, seed: 3))
        let point = try problem.point(start)
        let patches = start.range(of: .outputs).lowerBound
        for index in stride(from: 0, to: patches, by: 5) {
            func error(_ step: Double) throws -> Double {
                var moved = start
                moved.elements[index] += step
                return try problem.energy * problem.point(moved).error / 2
            }
            let slope = try (error(1e-4) - error(-1e-4)) / 2e-4
            #expect(abs(slope - point.gradient[index]) < 1e-5 * max(1, abs(slope)), "\(index) \(slope)")
        }
    }

    @Test func theSmallestFactorOfABound() throws {
        var generator = SeededGenerator(seed: 88)
        let design = try generator.matrix(20, 4)
        let target = try design.multiplied(by: generator.matrix(4, 3)).moved(along: generator.matrix(20, 3), by: 0.3)
        let system = design.gram(transposed: true)
        let right = try target.multiplied(by: design, transposed: true)
        func error(_ x: Matrix) throws -> Double {
            target.moved(along: try design.multiplied(by: x, otherTransposed: true), by: -1).squaredNorm
        }
        let best = try CPNormalEquations.solve(system, right, previous: right, pool: pool)
        let bound = try 1.1 * error(best)
        let found = try #require(
            try ErrorPreservingCorrection.smallest(system, right, energy: target.squaredNorm, bound: bound, pool: pool))
        #expect(try abs(error(found) - bound) < 1e-8)
        #expect(found.squaredNorm < best.squaredNorm)
        // Nothing else that near is smaller.
        for _ in 0..<200 {
            let other = found.moved(along: try generator.matrix(3, 4), by: 1e-2)
            if try error(other) <= bound { #expect(other.squaredNorm > found.squaredNorm) }
        }
        #expect(
            try ErrorPreservingCorrection.smallest(
                system, right, energy: target.squaredNorm, bound: 0.9 * error(best), pool: pool) == nil)
    }

    // MARK: Greedy

    @Test(arguments: cases)
    func greedyTermsLowerTheError(shape: [Int], rank: Int) throws {
        var generator = SeededGenerator(seed: 86)
        let kernel = try generator.kernel(shape)
        let moment = try generator.secondMoment(dimension: kernel.patchSize, samples: 3 * kernel.patchSize)
        var options = DecompositionOptions()
        options.regularization = 1e-3
        for (norm, sigma) in [
            (Norm.frobenius, Matrix.identity(kernel.patchSize)), (.sigma(moment), regularized(moment, 1e-3)),
        ] {
            let fit = try CanonicalPolyadic.deflated(kernel, rank: rank, norm: norm, options: options, pool: pool)
            #expect(fit.sweeps == rank)
            for (before, after) in zip(fit.errors, fit.errors.dropFirst()) { #expect(after <= before) }
            let measured = errorByLoops(kernel, try fit.factors.reconstructed(pool: pool), sigma)
            #expect(abs(measured - (fit.errors.last ?? 1)) < 1e-9)
            // The first term is a rank-one fit, which alternating finds too, from one start or another.
            var search = options
            search.restarts = 10
            search.maximumSweeps = 300
            search.tolerance = 1e-6
            let single = try CanonicalPolyadic.fit(kernel, rank: 1, norm: norm, options: search, pool: pool)
            #expect(1 - fit.errors[1] > 0.6 * (1 - (single.errors.last ?? 1)))
        }
    }

    // MARK: The Sigma norm

    @Test(arguments: cases, [DecompositionOptions.Update.joint, .oneBlockAtATime])
    func errorsNeverRise(_ example: ([Int], Int), update: DecompositionOptions.Update) throws {
        let (shape, rank) = example
        for seed in 90..<92 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let kernel = try generator.kernel(shape)
            let moment = try generator.secondMoment(dimension: kernel.patchSize, samples: 2 * kernel.patchSize)
            var options = DecompositionOptions()
            options.update = update
            options.tolerance = 0
            options.maximumSweeps = 8
            options.regularization = 1e-3
            let fit = try CanonicalPolyadic.fit(kernel, rank: rank, norm: .sigma(moment), options: options, pool: pool)
            for (before, after) in zip(fit.errors, fit.errors.dropFirst()) { #expect(after <= before) }
            let measured = errorByLoops(
                kernel, try fit.factors.reconstructed(pool: pool), regularized(moment, 1e-3))
            #expect(abs(measured - (fit.errors.last ?? 1)) < 1e-8)
        }
    }

    /// The Kronecker system of the paper's B.4, written out and solved for one factor; in both precisions of the
    /// conjugate gradient steps.
    @Test(arguments: cases, [1, 100_000])
    func blocksSolveTheNormalEquations(_ example: ([Int], Int), singlePrecisionFrom: Int) throws {
        let (shape, rank) = example
        // More terms than a factor's normal equations can tell apart leave them singular.
        if rank > shape[0] { return }
        var generator = SeededGenerator(seed: 93)
        let kernel = try generator.kernel(shape)
        let moment = try generator.secondMoment(dimension: kernel.patchSize, samples: 4 * kernel.patchSize)
        let problem = try CPSigmaProblem(
            kernel, moment, regularization: 1e-2, pool: pool, singlePrecisionFrom: singlePrecisionFrom)
        let sigma = regularized(moment, 1e-2)
        let point = try random(shape, rank, &generator)
        let start = try problem.fitOutputs(problem.whitening.whitened(point))
        let first = try problem.whitening.restored(start.factors)
        #expect(try abs(best(.outputs, kernel, sigma, first) - first.error(kernel, sigma)) < 1e-8)
        #expect(try abs(start.error - first.error(kernel, sigma)) < 1e-8)
        for block in CPVector<Double>.Block.allCases {
            var state = start
            // Each call starts from a residual in double, so single precision costs calls and not digits.
            for _ in 0..<4 { state = try problem.improved(state, block, steps: 1000) }
            let found = try problem.whitening.restored(state.factors).error(kernel, sigma)
            let wanted = try best(.init(block), kernel, sigma, first)
            #expect(abs(found - wanted) < 1e-8, "\(block)")
            #expect(wanted <= start.error + 1e-8)
        }
    }

    /// The gradient by which all patches move, against differences of the error that the best outputs leave.
    @Test(arguments: cases, [1, 100_000])
    func gradientsAreDifferences(_ example: ([Int], Int), singlePrecisionFrom: Int) throws {
        let (shape, rank) = example
        if rank > shape[0] { return }
        var generator = SeededGenerator(seed: 97)
        let kernel = try generator.kernel(shape)
        let moment = try generator.secondMoment(dimension: kernel.patchSize, samples: 4 * kernel.patchSize)
        let problem = try CPSigmaProblem(
            kernel, moment, regularization: 1e-2, pool: pool, singlePrecisionFrom: singlePrecisionFrom)
        let double = try CPSigmaProblem(kernel, moment, regularization: 1e-2, pool: pool)
        let factors = try double.whitening.whitened(random(shape, rank, &generator))
        let point = try problem.point(CPVector(factors))
        #expect(try abs(point.error - problem.fitOutputs(factors).error) < (singlePrecisionFrom == 1 ? 1e-5 : 1e-10))
        #expect(point.gradient.count == point.vector.range(of: .outputs).lowerBound)
        let direction = try generator.matrix(1, point.gradient.count).elements
        let slope = zip(direction, point.gradient).reduce(0) { $0 + $1.0 * $1.1 }
        let step = 1e-5
        let ends = try [step, -step].map { step in
            var moved = point.vector
            for index in direction.indices { moved.elements[index] += step * direction[index] }
            return try double.fitOutputs(moved.factors()).error * double.energy / 2
        }
        let difference = (ends[0] - ends[1]) / (2 * step)
        let scale = point.gradient.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-3 * double.energy
        #expect(abs(slope - difference) < (singlePrecisionFrom == 1 ? 1e-4 : 1e-6) * scale)
    }

    /// A moment that is a product becomes the identity, and one that is not comes near: no direction counts much more than
    /// another.
    @Test func whiteningMakesTheMomentAboutTheIdentity() throws {
        var generator = SeededGenerator(seed: 98)
        let kernel = try generator.kernel([5, 6, 3, 2])
        func moment(_ order: Int) throws -> Matrix {
            try generator.matrix(order, order + 2).gram()
        }
        func kronecker(_ a: Matrix, _ b: Matrix) -> Matrix {
            var result = Matrix(rows: a.rows * b.rows, columns: a.rows * b.rows)
            for i in 0..<result.rows {
                for j in 0..<result.rows { result[i, j] = a[i / b.rows, j / b.rows] * b[i % b.rows, j % b.rows] }
            }
            return result
        }
        let product = kronecker(try moment(6), kronecker(try moment(3), try moment(2)))
        func spread(_ sigma: Matrix) throws -> Double {
            let second = try SecondMoment(sigma, patchCount: 1000)
            let values = try SymmetricEigendecomposition(
                Whitening(second, kernel: kernel, ridge: 0, pool: pool).whitened(sigma, ridge: 0)
            ).values
            return (values.max() ?? 0) / (values.min() ?? 0)
        }
        #expect(try spread(product) < 1.01)
        var other = product
        let noise = try moment(36)
        let part = 0.05 * product.trace / noise.trace
        other.withMutableElements { elements in
            for index in elements.indices { elements[index] += part * noise.elements[index] }
        }
        let values = try SymmetricEigendecomposition(other).values
        #expect(try spread(other) < 0.1 * (values.max() ?? 0) / (values.min() ?? 1))
    }

    private enum Mode {
        case outputs
        case inputs
        case rows
        case columns
        init(_ block: CPVector<Double>.Block) {
            switch block {
            case .inputs: self = .inputs
            case .rows: self = .rows
            case .columns: self = .columns
            case .outputs: self = .outputs
            }
        }
    }

    /// The least relative error over one factor, by dense least squares: every unit factor is an image `V Sigma^(1/2)`.
    private func best(
        _ mode: Mode, _ kernel: ConvolutionKernel, _ sigma: Matrix, _ factors: CanonicalPolyadic
    ) throws -> Double {
        let root = try symmetricRoot(sigma)
        let all = [factors.outputs, factors.inputs, factors.rows, factors.columns]
        let index = mode == .outputs ? 0 : mode == .inputs ? 1 : mode == .rows ? 2 : 3
        let (count, rank) = (all[index].rows, factors.rank)
        var design = Matrix(rows: kernel.parameterCount, columns: count * rank)
        for unknown in 0..<count * rank {
            var parts = all
            parts[index] = Matrix(rows: count, columns: rank)
            parts[index][unknown / rank, unknown % rank] = 1
            let unit = CanonicalPolyadic(outputs: parts[0], inputs: parts[1], rows: parts[2], columns: parts[3])
            let image = try Matrix(rows: kernel.outputs, columns: kernel.patchSize, elements: sum(unit))
                .multiplied(by: root)
            for element in 0..<kernel.parameterCount { design[element, unknown] = image.elements[element] }
        }
        let target = try kernel.matrix.multiplied(by: root)
        return try leastSquaresResidual(design, target.elements) / target.squaredNorm
    }

    @Test func bothUpdatesMeetAndTheJointOneIsFaster() throws {
        var generator = SeededGenerator(seed: 94)
        let kernel = try generator.kernel([12, 10, 3, 3])
        let moment = try generator.secondMoment(dimension: 90, samples: 400)
        func errors(_ update: DecompositionOptions.Update, _ sweeps: Int) throws -> [Double] {
            var options = DecompositionOptions()
            options.update = update
            options.maximumSweeps = sweeps
            options.tolerance = 0
            return try CanonicalPolyadic.fit(kernel, rank: 8, norm: .sigma(moment), options: options, pool: pool).errors
        }
        let (joint, blocks) = (try errors(.joint, 40), try errors(.oneBlockAtATime, 40))
        #expect(joint[min(10, joint.count - 1)] < blocks[10])
        #expect((joint.last ?? 1) < (blocks.last ?? 0) + 1e-6)
    }

    @Test func theSigmaNormIsBetterInSigma() throws {
        var generator = SeededGenerator(seed: 95)
        let kernel = try generator.kernel([10, 9, 3, 3])
        let moment = try generator.secondMoment(dimension: 81, samples: 500)
        func error(_ factors: CanonicalPolyadic) throws -> Double {
            try kernel.squaredRelativeError(of: factors.reconstructed(pool: pool), in: .sigma(moment), pool: pool)
        }
        let sigma = try error(CanonicalPolyadic.fit(kernel, rank: 7, norm: .sigma(moment), pool: pool).factors)
        let plain = try error(CanonicalPolyadic.fit(kernel, rank: 7, norm: .frobenius, pool: pool).factors)
        let greedy = try error(CanonicalPolyadic.deflated(kernel, rank: 7, norm: .sigma(moment), pool: pool).factors)
        #expect(sigma < plain)
        #expect(sigma < greedy)
    }

    @Test func threadsDoNotChangeABit() throws {
        var generator = SeededGenerator(seed: 96)
        let kernel = try generator.kernel([40, 64, 3, 3])
        let moment = try generator.secondMoment(dimension: 576, samples: 600)
        var options = DecompositionOptions()
        options.maximumSweeps = 3
        for norm in [Norm.frobenius, .sigma(moment)] {
            let results = try [1, 3].map { threads in
                try CanonicalPolyadic.fit(
                    kernel, rank: 70, norm: norm, options: options, pool: ThreadPool(threadCount: threads))
            }
            #expect(results[0].errors == results[1].errors)
            #expect(results[0].factors == results[1].factors)
            let terms = try [1, 3].map { threads in
                try CanonicalPolyadic.deflated(
                    kernel, rank: 2, norm: norm, pool: ThreadPool(threadCount: threads)
                ).factors
            }
            #expect(terms[0] == terms[1])
        }
    }
}

extension CanonicalPolyadic {
    fileprivate func error(_ kernel: ConvolutionKernel, _ sigma: Matrix) throws -> Double {
        errorByLoops(kernel, try reconstructed(pool: pool), sigma)
    }
}
