import MartletLinearAlgebra
import MartletParallelism
import Testing

@testable import MartletDecompositions

@Suite struct Tucker2SigmaTests {
    /// Shape, output rank, input rank.
    static let cases: [([Int], Int, Int)] = [
        ([8, 6, 3, 3], 4, 3), ([6, 10, 3, 3], 3, 5), ([12, 5, 1, 5], 5, 3), ([7, 4, 5, 5], 3, 2), ([9, 8, 3, 1], 6, 4),
        ([5, 12, 2, 3], 2, 7), ([16, 8, 1, 1], 5, 4), ([1, 6, 3, 3], 1, 2), ([6, 1, 3, 3], 3, 1), ([4, 9, 1, 1], 2, 6),
    ]

    /// `U_S x I`, `[D, h w R_S]` with tap-major columns, written out.
    private func expanded(_ inputs: Matrix, taps: Int) -> Matrix {
        let rank = inputs.columns
        var result = Matrix(rows: inputs.rows * taps, columns: taps * rank)
        for s in 0..<inputs.rows {
            for tap in 0..<taps {
                for r in 0..<rank { result[s * taps + tap, tap * rank + r] = inputs[s, r] }
            }
        }
        return result
    }

    @Test(arguments: cases)
    func closedFormIsReducedRankRegression(shape: [Int], outputRank: Int, inputRank: Int) throws {
        var random = SeededGenerator(seed: 40)
        let kernel = try random.kernel(shape)
        let moment = try random.secondMoment(dimension: kernel.patchSize, samples: 4 * kernel.patchSize)
        let inputs = try QRDecomposition(random.matrix(shape[1], inputRank)).orthonormal
        let problem = try Tucker2SigmaProblem(kernel, moment, regularization: 1e-3, pool: pool)
        let state = try problem.fitOutputs(inputs, rank: outputRank)

        // The parts against their definitions.
        let sigma = regularized(moment, 1e-3)
        let basis = expanded(inputs, taps: kernel.taps)
        let product = try sigma.multiplied(by: basis)
        let wantedMoment = try basis.multiplied(by: product, transposed: true)
        #expect(largestDifference(problem.interaction(inputs).elements, wantedMoment.elements) < 1e-10)
        let wantedCross = try kernel.matrix.multiplied(by: product)
        #expect(largestDifference(problem.cross(inputs).elements, wantedCross.elements) < 1e-10)

        // The optimum by brute force: W Sigma^(1/2), projected onto the rows that the inputs allow, cut to rank R_T.
        let root = try symmetricRoot(sigma)
        let target = try kernel.matrix.multiplied(by: root)
        let rows = try QRDecomposition(root.multiplied(by: basis)).orthonormal
        let coordinates = try target.multiplied(by: rows)
        let kept = try SingularValueDecomposition(coordinates).values.prefix(outputRank).reduce(0) { $0 + $1 * $1 }
        let wanted = (target.squaredNorm - kept) / target.squaredNorm
        #expect(abs(state.relativeError - wanted) < 1e-8)

        // And the factors have that error.
        let factors = Tucker2(
            outputFactor: state.outputs, tapMajorCore: state.core, inputFactor: inputs, height: shape[2],
            width: shape[3], pool: pool)
        #expect(isOrthonormal(state.outputs))
        #expect(abs(errorByLoops(kernel, factors.reconstructed(pool: pool), sigma) - wanted) < 1e-8)
    }

    @Test(arguments: cases, [1, 100_000])
    func inputFactorSolvesTheNormalEquations(_ example: ([Int], Int, Int), singlePrecisionFrom: Int) throws {
        let (shape, outputRank, inputRank) = example
        // More input ranks than the core can tell apart leave the system singular.
        if inputRank > outputRank * shape[2] * shape[3] { return }
        var random = SeededGenerator(seed: 41)
        let kernel = try random.kernel(shape)
        let moment = try random.secondMoment(dimension: kernel.patchSize, samples: 4 * kernel.patchSize)
        let problem = try Tucker2SigmaProblem(
            kernel, moment, regularization: 1e-2, pool: pool, singlePrecisionFrom: singlePrecisionFrom)
        #expect((problem.singlePrecision == nil) == (singlePrecisionFrom > 1))
        let outputs = try QRDecomposition(random.matrix(shape[0], outputRank)).orthonormal
        let core = try random.matrix(outputRank, kernel.taps * inputRank)
        let start = try random.matrix(shape[1], inputRank)

        // The dense system: V = U_T sum_tap G_tap X^T is linear in X; its columns one by one.
        let sigma = regularized(moment, 1e-2)
        let unknowns = shape[1] * inputRank
        var images: [Matrix] = []
        for unknown in 0..<unknowns {
            var unit = Matrix(rows: shape[1], columns: inputRank)
            unit[unknown / inputRank, unknown % inputRank] = 1
            let tucker = Tucker2(
                outputFactor: outputs, tapMajorCore: core, inputFactor: unit, height: shape[2], width: shape[3],
                pool: pool)
            images.append(tucker.reconstructed(pool: pool).matrix)
        }
        var system = Matrix(rows: unknowns, columns: unknowns)
        var right = Matrix(rows: unknowns, columns: 1)
        for i in 0..<unknowns {
            let weighted = try images[i].multiplied(by: sigma)
            for j in 0..<unknowns { system[i, j] = weighted.dot(images[j]) }
            right[i, 0] = weighted.dot(kernel.matrix)
        }
        let wanted = try CholeskyDecomposition(system).solve(right)
        var found = try problem.improvedInputs(start, outputs: outputs, core: core, steps: 3 * unknowns + 10)
        // Each call starts from a residual in double, so single precision costs calls and not digits.
        for _ in 0..<3 {
            found = try problem.improvedInputs(found, outputs: outputs, core: core, steps: 3 * unknowns + 10)
        }
        let scale = wanted.elements.reduce(1.0) { max($0, abs($1)) }
        #expect(largestDifference(found.elements, wanted.elements) < 1e-8 * scale)
    }

    @Test(arguments: cases, [DecompositionOptions.Update.joint, .oneBlockAtATime])
    func errorsNeverRise(_ example: ([Int], Int, Int), update: DecompositionOptions.Update) throws {
        let (shape, outputRank, inputRank) = example
        for seed in 50..<53 {
            var random = SeededGenerator(seed: UInt64(seed))
            let kernel = try random.kernel(shape)
            let moment = try random.secondMoment(dimension: kernel.patchSize, samples: 2 * kernel.patchSize)
            var options = DecompositionOptions()
            options.update = update
            options.tolerance = 0
            options.maximumSweeps = 12
            options.regularization = 1e-3
            let found = try fit(kernel, outputRank, inputRank, .sigma(moment), options)
            for (before, after) in zip(found.errors, found.errors.dropFirst()) {
                #expect(after <= before * (1 + 1e-9) + 1e-13)
            }
            let last = found.errors.last ?? 1
            let factors = found.factors
            #expect(isOrthonormal(factors.outputFactor) && isOrthonormal(factors.inputFactor))
            let kept = factors.reconstructed(pool: pool)
            let measured = errorByLoops(kernel, kept, regularized(moment, 1e-3))
            #expect(abs(measured - last) < 1e-9)
            let byRoom = try kernel.squaredRelativeError(of: kept, in: .sigma(moment), pool: pool)
            #expect(abs(byRoom - errorByLoops(kernel, kept, moment.matrix)) < 1e-10)

            // Better in this norm than what the Frobenius norm finds.
            let plain = try fit(kernel, outputRank, inputRank, .frobenius).factors.reconstructed(pool: pool)
            #expect(measured <= errorByLoops(kernel, plain, regularized(moment, 1e-3)) + 1e-9)
        }
    }

    @Test func bothUpdatesMeetAndTheJointOneIsFaster() throws {
        var random = SeededGenerator(seed: 60)
        let kernel = try random.kernel([12, 10, 3, 3])
        let moment = try random.secondMoment(dimension: 90, samples: 400)
        func errors(_ update: DecompositionOptions.Update, _ sweeps: Int) throws -> Double {
            var options = DecompositionOptions()
            options.update = update
            options.maximumSweeps = sweeps
            options.tolerance = 0
            return try fit(kernel, 5, 4, .sigma(moment), options).errors.last ?? 1
        }
        #expect(try errors(.joint, 3) < errors(.oneBlockAtATime, 3))
        #expect(abs(try errors(.joint, 400) - errors(.oneBlockAtATime, 1500)) < 1e-5)
    }

    @Test func anIsotropicMomentIsTheFrobeniusNorm() throws {
        var random = SeededGenerator(seed: 61)
        let kernel = try random.kernel([10, 8, 3, 3])
        var identity = Matrix.identity(72)
        for index in 0..<72 { identity[index, index] = 2.5 }
        var options = DecompositionOptions()
        options.tolerance = 0
        options.maximumSweeps = 500
        let sigma = try fit(kernel, 4, 5, .sigma(SecondMoment(identity)), options)
        let frobenius = try fit(kernel, 4, 5, .frobenius, options)
        #expect(abs((sigma.errors.last ?? 1) - (frobenius.errors.last ?? 1)) < 1e-6)
    }

    @Test func fewPatches() throws {
        var random = SeededGenerator(seed: 62)
        let kernel = try random.kernel([6, 8, 3, 3])
        for samples in [1, 5, 40] {
            let moment = try random.secondMoment(dimension: 72, samples: samples)
            #expect(abs(moment.suggestedRegularization - 72 / Double(samples)) < 1e-12)
            for regularization in [nil, 1e-6, 1e-9] {
                var options = DecompositionOptions()
                options.regularization = regularization
                let found = try fit(kernel, 3, 4, .sigma(moment), options)
                #expect(found.errors.allSatisfy { $0.isFinite && $0 <= 1 })
                #expect(found.factors.core.matrix.isFinite)
                let kept = found.factors.reconstructed(pool: pool)
                let error = try kernel.squaredRelativeError(of: kept, in: .sigma(moment), pool: pool)
                let frobenius = try kernel.squaredRelativeError(of: kept, in: .frobenius, pool: pool)
                #expect(error < frobenius)
                // With the suggested ridge, what was never seen is not made up.
                if regularization == nil { #expect(frobenius < 1) }
            }
        }
        #expect(try SecondMoment(.identity(72)).suggestedRegularization == 1e-3)
        // One that is zero says nothing.
        let zero = try SecondMoment(Matrix(rows: 72, columns: 72))
        let byZero = try fit(kernel, 3, 4, .sigma(zero))
        let plain = try fit(kernel, 3, 4, .frobenius)
        #expect(byZero.errors == plain.errors)
    }

    @Test func threadsDoNotChangeABit() throws {
        var random = SeededGenerator(seed: 63)
        let kernel = try random.kernel([40, 64, 3, 3])
        let moment = try random.secondMoment(dimension: 576, samples: 600)
        var results: [DecompositionFit<Tucker2>] = []
        for threads in [1, 3] {
            results.append(
                try Tucker2.fit(
                    kernel, outputRank: 11, inputRank: 19, norm: .sigma(moment), pool: ThreadPool(threadCount: threads))
            )
        }
        #expect(results[0].errors == results[1].errors)
        #expect(results[0].factors.core == results[1].factors.core)
        #expect(results[0].factors.inputFactor == results[1].factors.inputFactor)
        #expect(results[0].factors.outputFactor == results[1].factors.outputFactor)
    }
}

@Suite struct SecondMomentTests {
    @Test func refusesWhatIsNoSecondMoment() throws {
        #expect(throws: DecompositionError.notASecondMoment(rows: 2, columns: 3)) {
            try SecondMoment(Matrix(rows: 2, columns: 3))
        }
        #expect(throws: DecompositionError.notASecondMoment(rows: 0, columns: 0)) {
            try SecondMoment(Matrix(rows: 0, columns: 0))
        }
        let asymmetric = try Matrix(rows: 2, columns: 2, elements: [1, 0.5, 0.4, 1])
        #expect(throws: DecompositionError.notASecondMoment(rows: 2, columns: 2)) { try SecondMoment(asymmetric) }
        let negative = try Matrix(rows: 2, columns: 2, elements: [1, 0, 0, -1])
        #expect(throws: DecompositionError.notASecondMoment(rows: 2, columns: 2)) { try SecondMoment(negative) }
        #expect(throws: DecompositionError.nonFinite(subject: "the second moment")) {
            try SecondMoment(Matrix(rows: 2, columns: 2, repeating: .nan))
        }
    }

    @Test func anIndefiniteMatrixThrowsAndDoesNotTrap() throws {
        var random = SeededGenerator(seed: 64)
        let kernel = try random.kernel([4, 4, 1, 1])
        // Symmetric with a diagonal of squares, but no second moment.
        var matrix = Matrix(rows: 4, columns: 4, repeating: -5)
        for index in 0..<4 { matrix[index, index] = 1 }
        let moment = try SecondMoment(matrix)
        #expect(throws: LinearAlgebraError.self) { try fit(kernel, 2, 2, .sigma(moment)) }
    }
}
