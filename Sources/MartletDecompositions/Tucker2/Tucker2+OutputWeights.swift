import MartletLinearAlgebra
import MartletParallelism

extension Tucker2 {
    /// The Tucker-2 form that minimises `sum_t weights[t] |W_t - V_t|^2`, with `W_t` the weights of one output: AG-LRA, where
    /// the weights are the outputs' mean absolute values (paper, 5.4).
    ///
    /// With `D` the diagonal of the weights' roots that is the Frobenius norm of `D W - D V`, and `D V` has the form of `V` with
    /// `D U_T` in place of `U_T`: a plain Tucker-2 of `D W`, whose output factor is then divided by `D` and made orthonormal
    /// again, its triangle going into the core. Outputs that weigh less than a thousandth of the mean are taken as that
    /// much; weights that are all zero say nothing, and every output counts alike.
    /// - Throws: as ``fit(_:outputRank:inputRank:norm:options:pool:checkCancellation:)``, and for a weight that is
    ///   negative or not finite, or if there is not one for each output.
    public static func fit(
        _ kernel: ConvolutionKernel, outputRank: Int, inputRank: Int, outputWeights: [Double],
        options: DecompositionOptions = .init(), pool: ThreadPool, checkCancellation: () throws -> Void = {}
    ) throws -> DecompositionFit<Tucker2> {
        guard outputWeights.count == kernel.outputs else {
            throw DecompositionError.elementCountMismatch(shape: [kernel.outputs], count: outputWeights.count)
        }
        for weight in outputWeights where !(weight >= 0 && weight.isFinite) {
            throw DecompositionError.optionOutOfRange(option: "the weight of an output", value: weight, range: "0 ...")
        }
        let mean = outputWeights.reduce(0, +) / Double(outputWeights.count)
        let roots = outputWeights.map { mean > 0 ? max($0 / mean, 1e-3).squareRoot() : 1 }
        let weighted = ConvolutionKernel(
            matrix: kernel.matrix.scalingRows(by: roots), inputs: kernel.inputs, height: kernel.height,
            width: kernel.width)
        let fit = try fit(
            weighted, outputRank: outputRank, inputRank: inputRank, norm: .frobenius, options: options, pool: pool,
            checkCancellation: checkCancellation)
        return try fit.map { factors in
            try factors.mixingOutputs(pool: pool) { $0.scalingRows(by: roots.map { 1 / $0 }) }
        }
    }
}
