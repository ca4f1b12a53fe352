import MartletLinearAlgebra

extension Tucker2SigmaProblem {
    /// One sweep of the paper's Algorithm 2: the output factor, then the core, then the input factor, each the best for
    /// the other two. Orthonormalising a factor moves its triangle into the core and changes nothing else.
    func sweepByBlocks(_ state: State, _ options: DecompositionOptions) throws -> State {
        var (core, inputs) = (state.core, state.inputs)
        let rank = inputs.columns
        var (moment, image) = (interaction(inputs), cross(inputs))

        // U_T = C^T G^T (G A G^T)^-1.
        let half = try core.multiplied(by: moment, pool: pool)
        var system = try half.multiplied(by: core, otherTransposed: true, pool: pool)
        let trace = system.trace
        if trace <= 0 { return state }
        // A core with dependent rows leaves the output factor open; any choice has the same error.
        for index in 0..<system.rows { system[index, index] += 1e-13 * trace }
        let right = try core.multiplied(by: image, otherTransposed: true, pool: pool)
        let outputs = try QRDecomposition(
            CholeskyDecomposition(system).solve(right, pool: pool).transposed
        ).orthonormal

        // G = U_T^T C^T A^-1; it needs no more of the output factor than its span.
        let reduced = try outputs.multiplied(by: image, transposed: true, pool: pool)
        core = try CholeskyDecomposition(moment).solve(reduced.transposed, pool: pool).transposed

        let qr = try QRDecomposition(
            improvedInputs(inputs, outputs: outputs, core: core, steps: options.conjugateGradientSteps ?? 4))
        inputs = qr.orthonormal
        // `[R_T, h w, R_S]` is `[R_T h w, R_S]` as it stands.
        let folded = try Matrix(rows: core.rows * taps, columns: rank, elements: core.elements)
        let absorbed = try folded.multiplied(by: qr.triangular, otherTransposed: true, pool: pool)
        core = try Matrix(rows: core.rows, columns: core.columns, elements: absorbed.elements)

        (moment, image) = (interaction(inputs), cross(inputs))
        let fitted = try core.multiplied(by: moment, pool: pool).dot(core)
        let common = try outputs.multiplied(by: image, transposed: true, pool: pool).dot(core)
        let error = max(0, energy - 2 * common + fitted)
        return State(outputs: outputs, core: core, inputs: inputs, relativeError: ratio(error, of: energy))
    }
}
