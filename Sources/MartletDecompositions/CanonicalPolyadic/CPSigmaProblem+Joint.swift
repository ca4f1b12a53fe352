import MartletLinearAlgebra

extension CPSigmaProblem {
    /// All patches at once: the error as a function of the factors of inputs, rows and columns alone, the output factor being the
    /// best one for them (variable projection, Golub and Pereyra 1973), lowered by ``LimitedMemoryBFGS``. One product with
    /// `Sigma` gives the error and the gradient. Where terms have a price (``CPSigmaProblem/termPrice``) it belongs to the error.
    struct PatchDescent {
        private let problem: CPSigmaProblem
        private var memory = LimitedMemoryBFGS(memory: 6)
        private(set) var point: Point

        /// Factors, the error that the best outputs leave, and how it changes with the patches.
        struct Point {
            /// The outputs' part is the best for the others.
            var vector: CPVector<Double>
            var error: Double
            /// Of half the energy that is left, by the patches' numbers, which are the vector's first.
            var gradient: [Double]
        }

        init(_ problem: CPSigmaProblem, from factors: CanonicalPolyadic) throws {
            self.problem = problem
            self.point = try problem.point(CPVector(factors))
        }

        /// One step; false if none lowers the error.
        mutating func advance() throws -> Bool {
            if try move() { return true }
            // What was learnt elsewhere may mislead.
            if memory.isEmpty { return false }
            memory.forget()
            return try move()
        }

        private mutating func move() throws -> Bool {
            let preconditioner = try CPBlockSystems(
                point.vector, blocks: [.inputs, .rows, .columns], ridge: 1e-3, pool: problem.pool)
            let direction = memory.direction(gradient: point.gradient) {
                preconditioner.solved($0, point.vector)
            }
            let slope = zip(direction, point.gradient).reduce(0) { $0 + $1.0 * $1.1 }
            if !(slope < 0) { return false }
            var length = 1.0
            for _ in 0..<Self.attempts {
                var vector = point.vector
                for index in direction.indices { vector.elements[index] += length * direction[index] }
                let next = try problem.point(vector)
                if problem.energy * (next.error - point.error) / 2 <= Self.sufficiency * length * slope {
                    memory.record(
                        step: direction.map { length * $0 }, change: zip(next.gradient, point.gradient).map { $0 - $1 })
                    point = next
                    return true
                }
                length *= 0.4
            }
            return false
        }

        private static let attempts = 8
        /// The part of what the slope promises that a step must keep (Armijo).
        private static let sufficiency = 1e-4
    }

    /// The error that the best outputs for a vector's patches leave, and its gradient.
    func point(_ vector: CPVector<Double>) throws -> PatchDescent.Point {
        if let singleSigma, let singleWeighted {
            return try point(vector, sigma: singleSigma, weighted: singleWeighted)
        }
        return try point(vector, sigma: sigma.elements, weighted: weighted.elements)
    }

    private func point<Scalar: BLASScalar>(
        _ vector: CPVector<Double>, sigma: [Scalar], weighted: [Scalar]
    ) throws -> PatchDescent.Point {
        let factors = try vector.factors()
        let patches = KhatriRao.expanded(
            inputs: factors.inputs, taps: KhatriRao.taps(rows: factors.rows, columns: factors.columns), pool: pool)
        let (order, rank) = (patches.rows, patches.columns)
        var image = [Scalar](repeating: 0, count: order * rank)
        withPointers(sigma, patches.elements.map { Scalar($0) }, &image) { sigma, patches, image in
            Scalar.gemm(
                pool: pool, transposeA: false, transposeB: false, m: order, n: rank, k: order, a: sigma, lda: order,
                b: patches, ldb: rank, beta: 0, c: image, ldc: rank)
        }
        let system = priced(
            try patches.symmetricProduct(
                with: Matrix(rows: order, columns: rank, elements: image.map { Double($0) }), pool: pool))
        let right = try self.weighted.multiplied(by: patches, pool: pool)
        let outputs = try CPNormalEquations.solve(system, right, previous: factors.outputs, pool: pool)
        let fitted = try outputs.multiplied(by: system, pool: pool)
        let left = max(0, energy - 2 * right.dot(outputs) + fitted.dot(outputs))

        var vector = vector
        vector.elements.replaceSubrange(vector.range(of: .outputs), with: outputs.elements)
        // (V - W) Sigma.
        var residual = weighted
        withPointers(outputs.elements.map { Scalar($0) }, image, &residual) { outputs, image, residual in
            Scalar.gemm(
                pool: pool, transposeA: false, transposeB: true, m: vector.outputs, n: order, k: rank, a: outputs,
                lda: rank, b: image, ldb: rank, beta: -1, c: residual, ldc: order)
        }
        let tangent = CPTangent(at: vector.converted(to: Scalar.self), sigma: sigma, pool: pool)
        // The price of term r changes with its patch by |a_r|^2 Sigma p_r.
        let squares = outputs.columnNorms.map { $0 * $0 }
        for index in image.indices { image[index] *= Scalar(termPrice * squares[index % rank]) }
        let gradient = tangent.gradient(residual, adding: &image)
            .elements[..<vector.range(of: .outputs).lowerBound]
        return PatchDescent.Point(
            vector: vector, error: ratio(left, of: energy), gradient: gradient.map { Double($0) })
    }
}
