import MartletLinearAlgebra
import MartletParallelism

extension CPSigmaProblem {
    /// One sweep of the paper's Algorithm 1: the factors of inputs, rows and columns, each the best for the others, and the
    /// output factor.
    func sweepByBlocks(_ state: State, steps: Int) throws -> State {
        var state = state
        for block in [CPVector<Double>.Block.inputs, .rows, .columns] {
            state = try improved(state, block, steps: steps)
        }
        return try fitOutputs(state.factors)
    }

    /// The best factor of one block for the others, by conjugate gradients on its normal equations.
    func improved(_ state: State, _ block: CPVector<Double>.Block, steps: Int) throws -> State {
        let model = try LocalModel(self, state, blocks: [block])
        let factors = try model.moved(by: model.step(damping: 0, steps: steps, tolerance: 1e-12))
        let patches = KhatriRao.expanded(
            inputs: factors.inputs, taps: KhatriRao.taps(rows: factors.rows, columns: factors.columns), pool: pool)
        return State(factors: factors, image: try sigma.multiplied(by: patches, pool: pool), error: state.error)
    }

    /// The error near a point as a quadratic function of the patches' factors.
    struct LocalModel {
        private let problem: CPSigmaProblem
        private let state: State
        private let point: CPVector<Double>
        private let gradient: CPVector<Double>
        private let double: CPTangent<Double>
        private let single: CPTangent<Float>?
        private let systems: CPBlockSystems
        private let blocks: [CPVector<Double>.Block]

        /// Only these blocks move.
        init(
            _ problem: CPSigmaProblem, _ state: State,
            blocks: [CPVector<Double>.Block] = CPVector<Double>.Block.allCases
        )
            throws
        {
            let (factors, pool) = (state.factors, problem.pool)
            self.problem = problem
            self.state = state
            self.blocks = blocks
            self.point = CPVector(factors)
            let movesOutputs = blocks.contains(.outputs)
            self.double = CPTangent(
                at: point, movesOutputs: movesOutputs, sigma: problem.sigma.elements, pool: pool)
            self.single = problem.singleSigma.map { [point] sigma in
                CPTangent(
                    at: point.converted(to: Float.self), movesOutputs: movesOutputs, sigma: sigma, pool: pool)
            }
            // (W - V) Sigma: the output factor's step has left Sigma B.
            let fitted = try factors.outputs.multiplied(by: state.image, otherTransposed: true, pool: pool)
            let residual = problem.weighted.moved(along: fitted, by: -1)
            self.gradient = double.gradient(residual.elements).keeping(blocks)
            self.systems = try CPBlockSystems(point, blocks: blocks, ridge: 1e-7, pool: pool)
        }

        /// The step from the point, by so many conjugate gradient steps from zero.
        func step(damping: Double, steps: Int, tolerance: Double = 1e-2) throws -> CPVector<Double> {
            let solution = try ConjugateGradients.solve(
                rightHandSide: gradient.elements, maximumIterations: steps, tolerance: tolerance,
                preconditioner: { systems.solved($0, point) },
                operator: { elements in
                    let direction = point.with(elements)
                    var image: CPVector<Double>
                    if let single {
                        image = single.applied(to: direction.converted(to: Float.self)).converted(to: Double.self)
                    } else {
                        image = double.applied(to: direction)
                    }
                    image = image.keeping(blocks)
                    if damping > 0 { addDamping(damping, elements, to: &image.elements) }
                    return image.elements
                })
            return point.with(solution.iterate)
        }

        func moved(by step: CPVector<Double>) throws -> CanonicalPolyadic {
            var result = point
            for index in result.elements.indices { result.elements[index] += step.elements[index] }
            return try result.factors()
        }

        private func addDamping(_ damping: Double, _ direction: [Double], to image: inout [Double]) {
            let rank = point.rank
            for (block, system) in zip(blocks, systems.systems) {
                let range = point.range(of: block)
                withPointers(direction, system.elements, &image) { direction, system, image in
                    BLAS.gemm(
                        pool: problem.pool, m: range.count / rank, n: rank, k: rank, alpha: damping,
                        a: direction + range.lowerBound, lda: rank, b: system, ldb: rank, beta: 1,
                        c: image + range.lowerBound, ldc: rank)
                }
            }
        }
    }
}
