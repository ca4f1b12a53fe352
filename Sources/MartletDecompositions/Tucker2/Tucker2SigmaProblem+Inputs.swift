import MartletLinearAlgebra

extension Tucker2SigmaProblem {
    /// A better `U_S` for an output factor with orthonormal columns and a core: some steps of preconditioned conjugate
    /// gradients on the normal equations, starting from the one there is. Its columns are not orthonormal.
    func improvedInputs(_ inputs: Matrix, outputs: Matrix, core: Matrix, steps: Int) throws -> Matrix {
        let preconditioner = try separation.preconditioner(core: core, rank: inputs.columns, pool: pool)
        guard let preconditioner else { return inputs }
        let target = try outputs.multiplied(by: weighted, transposed: true, pool: pool)
        var residual = doublePrecision.contracted(target.elements, core: core.elements)
        let image = doublePrecision.applied(to: inputs.elements, core: core.elements)
        for index in 0..<residual.count { residual[index] -= image[index] }

        // Solve for the correction: then the operator's rounding touches only what is corrected.
        let apply: ([Double]) -> [Double]
        if let singlePrecision {
            let core = core.elements.map { Float($0) }
            apply = { singlePrecision.applied(to: $0.map { Float($0) }, core: core).map(Double.init) }
        } else {
            apply = { doublePrecision.applied(to: $0, core: core.elements) }
        }
        let solution = try ConjugateGradients.solve(
            rightHandSide: residual, maximumIterations: steps, tolerance: 1e-6,
            preconditioner: { try preconditioner.applied(to: $0) }, operator: apply)
        var result = inputs
        result.withMutableElements { result in
            for index in 0..<result.count { result[index] += solution.iterate[index] }
        }
        return result
    }
}
