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
        var point = CPVector(state.factors)
        let double = CPTangent(at: point, sigma: sigma.elements, pool: pool)
        let single = singleSigma.map { CPTangent(at: point.converted(to: Float.self), sigma: $0, pool: pool) }
        // (W - V) Sigma: the output factor's step has left Sigma B.
        let fitted = try state.factors.outputs.multiplied(by: state.image, otherTransposed: true, pool: pool)
        let gradient = double.gradient(weighted.moved(along: fitted, by: -1).elements).keeping(block)
        let systems = try CPBlockSystems(point, blocks: [block], ridge: 1e-7, pool: pool)
        let solution = try ConjugateGradients.solve(
            rightHandSide: gradient.elements, maximumIterations: steps, tolerance: 1e-12,
            preconditioner: { systems.solved($0, point) },
            operator: { elements in
                let direction = point.with(elements)
                let image =
                    single.map { $0.applied(to: direction.converted(to: Float.self)).converted(to: Double.self) }
                    ?? double.applied(to: direction)
                return image.keeping(block).elements
            })
        for index in point.elements.indices { point.elements[index] += solution.iterate[index] }
        let factors = try point.factors()
        let patches = KhatriRao.expanded(
            inputs: factors.inputs, taps: KhatriRao.taps(rows: factors.rows, columns: factors.columns), pool: pool)
        return State(factors: factors, image: try sigma.multiplied(by: patches, pool: pool), error: state.error)
    }
}
